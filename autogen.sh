#!/bin/sh
# Makes ./configure from configure.ac; run this once in a new checkout.
cd "$(dirname "$0")" && mkdir -p m4 build-aux && exec autoreconf --install --warnings=all
