"""What the trained model is scored on."""

from pydantic import Field

from seedbed.runfile.strict import Strict


class EvaluationConfig(Strict):
    """How the trained model is scored on held-out text: over all, and by source, language and registered domain."""

    max_tokens: int = Field(
        default=1_000_000,
        ge=8,
        # a token's loss deviates by some 3 nats: a million tokens give 0.003 nats (ours)
        description="held-out tokens that are scored at most; more of them bring more groups over the floor",
    )
    min_documents: int = Field(
        default=10, ge=1, description="a group with fewer held-out documents that are scored has no loss of its own"
    )
    min_tokens: int = Field(
        default=2_000,
        ge=1,
        # 3 nats over the root of 2,000 tokens: good to 0.07 nats (ours)
        description="nor has a group with fewer tokens in them",
    )
    max_domains: int = Field(default=20, ge=0, description="domains that are shown: those with the most tokens")
