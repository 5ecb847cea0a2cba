#!/usr/bin/env python3
"""Tests that texts follow the rules of plain English that a program can check.
The rules forbid some words, some beginnings of comments and sentences, and
long sentences in manuals. Prints TAP."""

import os
import re
import sys

SOURCE = os.environ.get("BRIDLE_SOURCE") or os.environ.get("srcdir") or "."
sys.path.insert(0, os.path.join(SOURCE, "scripts"))
sys.dont_write_bytecode = True

import tap  # noqa: E402
import texts  # noqa: E402

WORDS_MAX = 35
UNUSED = re.compile(r"\b(whoever|whom|lest|likewise|thereof|he|his|him)\b",
                    re.I)
# Forbidden first words of a comment, and of a later sentence in a comment.
NO_START = re.compile(r"(What|Whether|Who|Whoever|Of|Then|So)\b")
NO_SENTENCE = re.compile(r"(What|Whether|Who|Whoever|Of|Lest|Likewise)\b")
# Files that are not checked, each with the reason.
EXCEPTIONS = {
    "tests/unit/test_english.py": "names the words that it searches for",
    "scripts/texts.py": "is searched by its own patterns",
}


def checked(found):
    """Return the texts of the files that are not in `EXCEPTIONS`. Fail if there
    are too few texts."""
    found = [(path, line, text) for path, line, text in found
             if path not in EXCEPTIONS]
    assert len(found) > 300, "only %d texts were found" % len(found)
    return found


def unused_words(found):
    for path, line, text in found:
        for word in UNUSED.findall(text):
            yield '%s:%d: "%s" is not used here: %s' % (path, line, word, text)


def wrong_starts(found):
    for path, line, text in found:
        wrong = [text] if NO_START.match(text) else []
        wrong += [s for s in texts.sentences_in(text)[1:]
                  if NO_SENTENCE.match(s)]
        for sentence in wrong:
            if not sentence.rstrip(")").endswith("?"):
                yield "%s:%d: begin with a subject or a verb: %s" % (
                    path, line, sentence)


def long_sentences(found):
    for path, line, text in found:
        count = len(texts.words(text))
        if count > WORDS_MAX:
            yield "%s:%d: a sentence of %d words: %s" % (
                path, line, count, text)


def test_words_that_are_not_used():
    for found in (texts.comments, texts.manual_sentences, texts.messages):
        yield from unused_words(checked(found(SOURCE)))


def test_comments_begin_with_a_subject_or_a_verb():
    yield from wrong_starts(checked(texts.comments(SOURCE)))


def test_sentences_of_manuals_are_short():
    yield from long_sentences(checked(texts.manual_sentences(SOURCE)))


def test_each_fault_is_found():
    """Test that each rule finds a wrong text and accepts a right text."""
    def one(text):
        return [("a.c", 1, text)]

    for wrong in ("Give the host to whom it belongs.", "He waits."):
        if not list(unused_words(one(wrong))):
            yield "no unused word was found in: " + wrong
    for wrong in ("What is left.", "Read a line. Whether it ends is told."):
        if not list(wrong_starts(one(wrong))):
            yield "no wrong start was found in: " + wrong
    if not list(long_sentences(one("word " * (WORDS_MAX + 1)))):
        yield "no long sentence was found"
    right = one("Return the other hosts. What is left?")
    for problem in (*unused_words(right), *wrong_starts(right),
                    *long_sentences(right)):
        yield "found without reason: " + problem


if __name__ == "__main__":
    sys.exit(tap.run(globals()))
