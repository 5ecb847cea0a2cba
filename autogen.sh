#!/bin/sh
# Makes ./configure from configure.ac; needed once in a checkout.
cd "$(dirname "$0")" && mkdir -p m4 build-aux && exec autoreconf --install --warnings=all
