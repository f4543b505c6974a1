"""`python -m seedbed.cli`, for where the command itself is not installed."""

from seedbed.cli.entry import main

main()
