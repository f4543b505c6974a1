"""The command `seedbed`. A command parses, imports late, calls one function and prints.

Reading order: `entry` (errors and exit codes), `app` (which commands there are), `options` (what commands share), then
one file for each command. Importing this loads neither torch, ray nor mlflow; `seedbed --help` stays quick.
"""

from seedbed.cli.entry import main

__all__ = ["main"]
