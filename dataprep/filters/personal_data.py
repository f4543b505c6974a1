"""How much personal data a document may hold. What is left is masked by `corpus`."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from dataprep.filters.contract import Rule, quantity
from dataprep.personal_data import PLURALS


class PersonalDataFilterConfig(BaseModel):
    """Limits on personal data found in a document; null: none, as it is masked."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    max_emails: int | None = Field(default=None, ge=0, description="e-mail addresses in a document")
    max_ip_addresses: int | None = Field(default=None, ge=0, description="IP addresses in a document")
    max_phones: int | None = Field(default=None, ge=0, description="telephone numbers in a document")
    max_ibans: int | None = Field(default=None, ge=0, description="bank accounts in a document")
    max_cards: int | None = Field(default=None, ge=0, description="payment cards in a document")
    max_per_1000_words: float | None = Field(
        default=None, ge=0, description="all kinds together, per 1000 words: a list of members has hundreds"
    )

    def rules(self, attributes: pa.Table) -> Iterator[Rule]:
        numbers = {name: quantity(attributes, f"num_{name}") for name in PLURALS}
        for name, number in numbers.items():
            maximum = getattr(self, f"max_{name}")
            if maximum is not None:
                yield Rule.at_most(f"too_many_{name}", number, maximum)
        if self.max_per_1000_words is not None:
            words = quantity(attributes, "num_words")
            total = np.sum(list(numbers.values()), axis=0) * 1000
            rate = np.divide(total, words, out=np.zeros_like(words), where=words != 0)
            yield Rule.at_most("too_much_personal_data", rate, self.max_per_1000_words)
