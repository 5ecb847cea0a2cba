"""Output of figures on the screen, as tab-separated values, as Markdown, and
as plots."""

import os
import shutil
import subprocess
import sys

PLOT = """
set terminal %(terminal)s size %(size)s
set output "%(output)s"
set title "%(title)s"
set xlabel "%(x)s"
set ylabel "%(y)s"
set logscale xy
set key outside right top
set grid
plot %(curves)s
"""


def cells(row):
    return "| %s |" % " | ".join(map(str, row))


class Report:
    """The figures of one run. Without a folder, the figures are printed and
    not stored.

        table()  begins a table; the first argument is the name of the table,
                 the others are the names of its columns
        row()    adds a row, with one cell for each column
        point()  adds the point (x, y) to a curve of a plot
    """

    def __init__(self, folder=None):
        self.folder, self.plots = folder, {}
        self.files = []
        if folder is not None:
            os.makedirs(folder, exist_ok=True)
            self.files = [open(os.path.join(folder, name), "w")
                          for name in ("figures.tsv", "figures.md")]

    def write(self, shown, *lines):
        print("  ".join("%-18s" % c for c in shown).rstrip())
        sys.stdout.flush()
        for file, line in zip(self.files, lines):
            file.write(line + "\n")
            file.flush()

    def table(self, *columns):
        self.name = columns[0]
        head = "\n## %s\n\n%s\n%s" % (self.name, cells(columns[1:]),
                                      cells(["---"] * (len(columns) - 1)))
        self.write(columns, "\t".join(columns), head)

    def row(self, *row):
        # In figures.tsv each row begins with the name of its table.
        self.write(("", *row), "\t".join(map(str, (self.name, *row))),
                   cells(row))

    def point(self, plot, curve, x, y):
        self.plots.setdefault(plot, {}).setdefault(curve, []).append((x, y))

    def draw(self, plot, title, x, y):
        """Store the points of a plot. If gnuplot is installed, draw the points
        as SVG and PNG."""
        curves = self.plots.get(plot)
        if self.folder is None or curves is None:
            return
        path = os.path.join(self.folder, plot)
        with open(path + ".dat", "w") as f:
            for name, points in curves.items():
                f.write("# %s\n" % name)
                f.writelines("%s %s\n" % p for p in sorted(points))
                f.write("\n\n")
        if shutil.which("gnuplot") is None:
            print("(no %s.svg: gnuplot is not installed)" % path)
            return
        drawn = ", ".join(
            '"%s.dat" index %d with linespoints title "%s"' % (path, i, name)
            for i, name in enumerate(curves))
        for terminal, size in (("svg", "900,600"), ("png", "900,600")):
            script = PLOT % {"terminal": terminal, "size": size,
                             "output": "%s.%s" % (path, terminal),
                             "title": title, "x": x, "y": y, "curves": drawn}
            subprocess.run(["gnuplot"], input=script, text=True, check=True)
