"""Packs the two tables of the UCI optical digits into digits.gz, as digits.rs says.

usage: pack.py TRAIN.csv TEST.csv digits.gz
"""

import gzip
import sys


def rows(file):
    for line in open(file):
        cells = line.strip().split(",")
        if cells[0].isdigit():  # not a header
            yield [int(cell) for cell in cells]


def main():
    train, test, into = sys.argv[1:]
    packed = b""
    for file in (train, test):
        read = list(rows(file))
        packed += bytes(pixel for row in read for pixel in row[:64])
        packed += bytes(row[64] for row in read)
    with open(into, "wb") as out, gzip.GzipFile("", "wb", 9, out, 0) as zipped:
        zipped.write(packed)


main()
