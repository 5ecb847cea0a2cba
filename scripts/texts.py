"""Functions that find the texts of the source tree that people read. These are
comments of programs, sentences of manual pages and READMEs, and messages. Each
text is a tuple of file, line, and the text with single spaces."""

import ast
import io
import os
import re
import tokenize

PROGRAM_FOLDERS = ("lib", "daemon", "session", "generator", "ctl", "tests",
                   "scripts")
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "SECURITY.md",
             "daemon/README.md", "tests/bench/README.md")
SETTINGS = ("conf/bridled.conf",)
SHELL = ("run-tests", "quickstart", "autogen.sh")

# A comment, a string or a character constant of C, whichever comes first.
C_TOKEN = re.compile(r"/\*.*?\*/|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'",
                     re.S)
# Strings of C with only white space or a macro between them are one string. A
# macro such as PRIu64 expands to a string.
C_STRINGS = re.compile(r'"(?:[^"\\\n]|\\.)*"(?:\s*(?:[A-Z]\w*\s*)?'
                       r'"(?:[^"\\\n]|\\.)*")*')
SENTENCE_END = re.compile(r"(?<=[a-z0-9)\"'`*][.?!])\s+(?=[A-Z`\"(*\[]|bridle)"
                          r"|(?<=[.?!]\))\s+(?=[A-Z])")
# A word. A name, a path and an option of a command are words, too.
WORD = re.compile(r"[\w'./:@%*<>|=+~$#{}\\-]*[A-Za-z][\w'./:@%*<>|=+~$#{}-]*")


def one_line(text):
    return " ".join(text.split())


def words(text):
    return WORD.findall(text)


def sentences_in(text):
    return [s for s in SENTENCE_END.split(one_line(text)) if s]


def files(source, folders, ends):
    for folder in folders:
        for place, below, names in os.walk(os.path.join(source, folder)):
            below.sort()
            for name in sorted(names):
                if name.endswith(ends):
                    yield os.path.relpath(os.path.join(place, name), source)


def read(source, path):
    with open(os.path.join(source, path), encoding="utf-8") as file:
        return file.read()


def c_comments(text):
    for match in C_TOKEN.finditer(text):
        if match[0].startswith("/*"):
            body = re.sub(r"\n[ \t]*\*(?!/)", "\n", match[0][2:-2])
            yield text.count("\n", 0, match.start()) + 1, one_line(body)


def hash_comments(lines):
    """Yield (line, text) of each comment in a file whose comments begin with
    "#". Comment lines that follow each other are joined to one text."""
    start, parts = 0, []
    for number, line in enumerate([*lines, ""], 1):
        match = re.match(r"\s*#(?!!)\s?(.*)", line)
        if match and match[1].strip():
            start = start if parts else number
            parts.append(match[1])
        elif parts:
            yield start, one_line(" ".join(parts))
            parts = []


def python_comments(text):
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            said = ast.get_docstring(node)
            if said:
                yield node.body[0].lineno, one_line(said)
    comments = {t.start[0]: t.string.lstrip("#! ") for t in
                tokenize.generate_tokens(io.StringIO(text).readline)
                if t.type == tokenize.COMMENT and not t.string.startswith("#!")}
    for number in sorted(comments):
        if number - 1 not in comments:
            parts, at = [], number
            while at in comments:
                parts.append(comments[at])
                at += 1
            yield number, one_line(" ".join(parts))


def comments(source):
    for path in files(source, PROGRAM_FOLDERS, (".c", ".h")):
        for line, text in c_comments(read(source, path)):
            yield path, line, text
    for path in files(source, PROGRAM_FOLDERS, (".py",)):
        for line, text in python_comments(read(source, path)):
            yield path, line, text
    for path in (*SHELL, *SETTINGS, *files(source, PROGRAM_FOLDERS, (".sh",))):
        for line, text in hash_comments(read(source, path).splitlines()):
            yield path, line, text


# A word of a manual that is printed in bold or italic type.
LITERAL = re.compile(r"(\b(?:Ar|Cm|Dv|Ev|Ic|Li|Pa|Ql|Sy|Va)\b(?: Ns)? )"
                     r"([^\s.,;:)(]\S*)((?: [.,;:)]+)?)")


def roff_words(line):
    """Return the words of a line of mdoc(7) without macros, and with the
    characters that macros print. Bold words are in backquotes."""
    if line.startswith("."):
        line = re.sub(r"\bXr (\S+) (\d)", r"\1(\2)", line)
        line = LITERAL.sub(r"\1`\2`\3", line)
        line = re.sub(r"\bPq (.*?)( [.,;:])?$", r"( \1 )\2", line[1:])
        line = re.sub(r"\b[DQS]q (\S+)", r'"\1"', line)
        line = re.sub(r"\bFl (?=\S)", "-", line)
        line = re.sub(r"\bP([oc])\b", lambda m: "()"[m[1] == "c"], line)
        line = " ".join(w for w in line.split()
                        if not re.fullmatch(r"[A-Z][a-z]|Ns|No", w))
        line = re.sub(r" ([.,;:)?!])(?= |$|[.,;:)?!])", r"\1", line)
        line = re.sub(r"\( ", "(", line)
    return re.sub(r"\\(?:&|e|-|\(..|\[\w+\])", "", line)


def parenthesized(text):
    """Return the text as one line, without the spaces that macros leave inside
    parentheses."""
    return re.sub(r" \)", ")", one_line(text).replace("( ", "("))


def mdoc_paragraphs(text):
    """Yield (line, text) of each paragraph of a manual page. Leave out
    examples, headings and the synopsis."""
    start, parts, hidden = 0, [], None
    name = re.search(r"^\.Nm (\S+)", text, re.M)[1]
    for number, line in enumerate([*text.splitlines(), ".Pp"], 1):
        macro = line[1:3] if line.startswith(".") else ""
        if line.startswith(".Sh SYNOPSIS"):
            hidden = "Sh"
        elif hidden:
            hidden = None if macro == hidden else hidden
        elif line.startswith('.\\"'):
            pass
        elif macro == "Bd":
            hidden = "Ed"
        elif macro in ("Dd", "Dt", "Os", "Sh", "Ss", "Pp", "It", "Bl", "El",
                       "Dl", "Nd"):
            if parts:
                yield start, parenthesized(" ".join(parts))
            parts = []
        elif line.strip():
            start = start if parts else number
            # ".Nm" without a name prints the name of the page.
            parts.append(roff_words(
                re.sub(r"^\.Nm(?= [.,;:)]|$)", ".Nm " + name, line)))


def markdown_paragraphs(text):
    start, parts, hidden = 0, [], False
    for number, line in enumerate([*text.splitlines(), ""], 1):
        fence = line.lstrip().startswith("```")
        item = re.match(r"\s*(?:[-*]|\d+\.)\s+", line)
        if (hidden or fence or item or not line.strip()
                or re.match(r"#|\||    |!?\[", line)) and parts:
            yield start, one_line(" ".join(parts))
            parts = []
        if fence:
            hidden = not hidden
        elif not hidden and line.strip() and not re.match(
                r"#|\||    |\[\w+\]:", line):
            start = start if parts else number
            parts.append(line[item.end():] if item else line)


def manual_sentences(source):
    pages = sorted(n for n in os.listdir(os.path.join(source, "man"))
                   if re.search(r"\.\d$", n))
    for name in pages:
        path = "man/" + name
        for line, text in mdoc_paragraphs(read(source, path)):
            for sentence in sentences_in(text):
                yield path, line, sentence
    for path in DOCUMENTS:
        for line, text in markdown_paragraphs(read(source, path)):
            for sentence in sentences_in(text):
                yield path, line, sentence


def messages(source):
    """Yield (file, line, text) of each string of at least three words that the
    programs may print."""
    for path in files(source, ("lib", "daemon", "session", "generator", "ctl"),
                      (".c",)):
        text = read(source, path)
        bare = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m[0]),
                      text, flags=re.S)
        for match in C_STRINGS.finditer(bare):
            said = match[0].replace('\\"', "\0")
            said = re.sub(r'"\s*([A-Z]\w*\s*)?"', "", said)[1:-1]
            said = re.sub(r"(\\n)+(?=.)", " / ", said)
            said = one_line(re.sub(r"\\[nt]", " ", said).replace("\0", '"'))
            if len(words(said)) >= 3 and re.search(r"[a-z]{2} [a-z]", said):
                yield path, bare.count("\n", 0, match.start()) + 1, said
