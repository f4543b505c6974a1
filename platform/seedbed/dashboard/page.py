"""How a page is made: its template, and what every template may use. All that is put in is escaped."""

import time
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from seedbed.dashboard.units import FILTERS
from seedbed.tracking.place import is_server

HERE = Path(__file__).parent
SPARK_WIDTH, SPARK_HEIGHT = 120, 28
NAVIGATION = (
    ("/", "Overview"),
    ("/runs", "Runs"),
    ("/data", "Data"),
    ("/compare", "Compare"),
    ("/cluster", "Cluster"),
    ("/submit", "Submit"),
)


class Page:
    """The templates of one server."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(FILTERS)
        self._environment.globals.update(FILTERS, link=link, is_web=is_server)
        self._environment.globals.update(version=version("seedbed"), nav_items=NAVIGATION)

    def show(self, request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        """A whole page for one browser."""
        is_open = request.app.state.sessions.is_open(request.session)
        common = {"csrf": request.session["csrf"] if is_open else None, "path": request.url.path}
        common["server_time"] = time.time()
        return HTMLResponse(self._environment.get_template(template).render(common | context), status)

    def part(self, template: str, **context: Any) -> str:
        """A part that is the same for all browsers."""
        return self._environment.get_template(template).render(context)


def the_page(request: Request) -> Page:
    """For routes."""
    page: Page = request.app.state.page
    return page


def link(path: str, **query: Any) -> str:
    """A path with a query; what is None is left out. `path` is quoted part by part where it has odd characters."""
    asked = urlencode({key: value for key, value in query.items() if value is not None})
    return quote(path, safe="/") + (f"?{asked}" if asked else "")
