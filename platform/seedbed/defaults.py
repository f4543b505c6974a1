"""Where things are when nobody says otherwise. `seedbed --help` shows them and loads nothing else."""

DEFAULT_STORE = "./.seedbed/store"
DEFAULT_STATE = "./.seedbed/state"
