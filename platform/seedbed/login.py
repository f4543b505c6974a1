"""Who types: the owner of what he submits, the actor of what he asks."""

import getpass
import os


def login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"uid {os.getuid()}"


def dashboard_user() -> str:
    """Who does something in the browser: whoever has the token, and not surely the user of the server."""
    return f"{login_name()} (dashboard)"
