"""The commands of `seedbed`, in the order in which `--help` shows them."""

from typing import Annotated

import typer

from seedbed.cli.cluster import cluster
from seedbed.cli.conform import conform
from seedbed.cli.dashboard import dashboard
from seedbed.cli.describe import describe
from seedbed.cli.doctor import doctor
from seedbed.cli.events import events
from seedbed.cli.export import export
from seedbed.cli.gc import gc
from seedbed.cli.jobs import jobs
from seedbed.cli.logs import logs
from seedbed.cli.options import RootRegistryOption, RootStateOption, RootStoreOption, places
from seedbed.cli.plan import plan
from seedbed.cli.report import report
from seedbed.cli.resume import resume
from seedbed.cli.retry import retry
from seedbed.cli.run import run
from seedbed.cli.sample import sample
from seedbed.cli.scaling import scaling
from seedbed.cli.show import show
from seedbed.cli.stop import stop
from seedbed.cli.submit import submit
from seedbed.cli.sweep import sweep
from seedbed.cli.takedown import takedown
from seedbed.cli.track import track
from seedbed.cli.train_models import train_classifier, train_ngram_model
from seedbed.cli.why import why

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # `entry` answers for what is raised
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"seedbed {version('seedbed')}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    store: RootStoreOption = None,
    state: RootStateOption = None,
    registry: RootRegistryOption = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.", callback=_version)] = False,
) -> None:
    """From a web crawl to a pretrained language model: planned, budgeted, traceable."""
    places(context, store, state, registry)


app.command()(plan)
app.command()(scaling)
app.command()(sweep)
app.command()(run)
app.add_typer(cluster, name="cluster")
app.command()(submit)
app.command()(jobs)
app.command()(logs)
app.command()(events)
app.command()(describe)
app.command()(stop)
app.command()(resume)
app.command()(retry)
app.command()(conform)
app.command("train-ngram-model")(train_ngram_model)
app.command("train-classifier")(train_classifier)
app.command()(show)
app.command()(why)
app.command()(takedown)
app.command()(sample)
app.command()(report)
app.command()(export)
app.command()(track)
app.command()(dashboard)
app.command()(gc)
app.command()(doctor)
