"""``python -m survey``: the command line without its launcher, for start scripts."""

from survey.cli import main

main()
