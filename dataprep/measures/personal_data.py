"""How much personal data a document holds: see `dataprep.personal_data`."""

from dataclasses import dataclass

import pyarrow as pa

from dataprep.measures.batch import Batch
from dataprep.measures.contract import counts
from dataprep.personal_data import PLURALS, PersonalDataConfig, find_personal_data


@dataclass(frozen=True)
class PersonalDataMeasure:
    """E-mail and IP addresses, telephone numbers, bank accounts and payment cards; one that stands twice counts
    twice."""

    config: PersonalDataConfig

    def fields(self) -> list[pa.Field]:
        return counts(*(f"num_{name}" for name in PLURALS))

    def columns(self, batch: Batch) -> list[pa.Array]:
        return [pa.array(number) for number in find_personal_data(batch.text, self.config).counts()]
