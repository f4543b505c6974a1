"""Steps done in this process, and pages of which it is known how alike they are."""

from jobs.executor import InlineExecutor

NUM_WORDS = 200


class Here:
    """A cluster that is this process."""

    def start(self) -> None:
        pass

    def executor(self) -> InlineExecutor:
        return InlineExecutor()


def page(number: int, shift: int = 0) -> str:
    """`NUM_WORDS` words of page `number`, `shift` words further on; ten words on share 186 of 206 5-grams: 0.90."""
    return " ".join(f"word{number}x{place}" for place in range(shift, shift + NUM_WORDS))
