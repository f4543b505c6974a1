"""Memory of a training process by what holds it, counted at each moment that can be its fullest.

    loss     the backward pass begins: activations, logits and their gradient, gradients of earlier micro batches
    reduce   the last backward pass ends: all gradients, and the buffers in which ranks add them up
    step     the optimizer's step: its share of the gradients in fp32, flattened once more to take the norm

`tests/jobs/pretrain/test_memory.py` holds it to measured peaks of the real engine. Left out: the process without a
model (on CUDA its context and NCCL's buffers), fragmentation, and on CPU with dropout the attention matrix, which no
fused kernel avoids there. Symbols in comments: P parameters of a stage, n data ranks, S tokens of a sequence, D width,
L layers, V vocabulary.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from seedbed.layout import BatchLayout
from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig
from seedbed.scaling.parameters import parameter_counts

FP32_BYTES = 4
HALF_BYTES = 2  # bf16 and fp16
TOKEN_BYTES = 8  # ids are int64
ADAM_MOMENTS = 2  # fp32, both: Loshchilov and Hutter 2019, algorithm 2
ZERO_BUCKET = 50_000_000  # elements in one reduction of ZeRO: `jobs.pretrain.engine.MAX_BUCKET_ELEMENTS`
PLAIN_BUCKET = 500_000_000  # the same without ZeRO and in ZeRO-1 with bf16: DeepSpeed's MEMORY_OPT_ALLREDUCE_SIZE
MAX_GATHERED = 1_000_000_000  # elements of ZeRO-3's weights that are whole at once: `stage3_max_live_parameters`
MIN_PIPELINE_BUFFERS = 2  # DeepSpeed 0.19, `TrainSchedule.num_pipe_buffers`
LOGIT_BYTES = 3 * FP32_BYTES  # in fp32 whatever the precision: log-softmax, its gradient, and that of the logit


@dataclass(frozen=True)
class RankMemory:
    """Bytes of one rank by what holds them, at its fullest moment."""

    role: str  # every rank; in a pipeline a stage
    moment: str  # loss, reduce or step
    weights: int
    gradients: int
    optimizer: int  # AdamW's two moments, and under ZeRO the fp32 weights
    buffers: int  # of reductions and of the optimizer's step
    activations: int
    logits: int
    host: int = 0  # of the machine, not the device: an offloaded optimizer

    @property
    def total(self) -> int:
        """On the device."""
        return sum(self.by_component().values())

    def by_component(self) -> dict[str, int]:
        return {name: size for name, size in asdict(self).items() if name not in ("role", "moment", "host")}


def memory_by_role(model: ModelConfig, training: TrainingConfig, batch: BatchLayout) -> tuple[RankMemory, ...]:
    """Of each role, the bytes of one rank: one role without a pipeline, one for each of its stages."""
    stages = training.pipeline_stages
    return tuple(_fullest(_Stage(model, training, batch, number)) for number in range(stages))


def memory_per_rank(model: ModelConfig, training: TrainingConfig, batch: BatchLayout) -> RankMemory:
    """Of the role that takes the most."""
    return max(memory_by_role(model, training, batch), key=lambda memory: memory.total)


@dataclass(frozen=True)
class _Stage:
    """What one rank of a stage holds; without a pipeline there is one stage."""

    model: ModelConfig
    training: TrainingConfig
    batch: BatchLayout
    number: int

    @property
    def is_first(self) -> bool:
        return self.number == 0

    @property
    def is_last(self) -> bool:
        return self.number == self.training.pipeline_stages - 1

    @property
    def role(self) -> str:
        stages = self.training.pipeline_stages
        return "every rank" if stages == 1 else f"stage {self.number + 1} of {stages}"

    @property
    def num_layers(self) -> int:
        """Blocks are shared out evenly; where that leaves some, no stage has more than this."""
        return -(-self.model.num_layers // self.training.pipeline_stages)

    @property
    def parameters(self) -> int:
        """Of this stage; a tied embedding stands on the first and on the last."""
        counts = parameter_counts(self.model)
        layer = (counts.attention + counts.mlp + counts.norms - self._final_norm) // self.model.num_layers
        total = layer * self.num_layers
        if self.is_first:
            total += counts.token_embedding + counts.position_embedding
        if self.is_last:
            total += self._final_norm + counts.output_projection
            if self.model.tied_embeddings and not self.is_first:
                total += counts.token_embedding
        return total

    @property
    def _final_norm(self) -> int:
        return 2 * self.model.width

    @property
    def element(self) -> int:
        return FP32_BYTES if self.training.precision == "fp32" else HALF_BYTES

    @property
    def share(self) -> int:
        """Parameters whose optimizer state this rank keeps."""
        return -(-self.parameters // self.batch.data_ranks) if self.training.zero_stage else self.parameters

    @property
    def in_flight(self) -> int:
        """Micro batches whose activations are kept at once: 1F1B, Narayanan et al. 2021, 2.2."""
        return min(self.training.pipeline_stages - self.number, self.batch.accumulation_steps)


def _fullest(stage: _Stage) -> RankMemory:
    return max(_moments(stage), key=lambda memory: memory.total)


def _moments(stage: _Stage) -> Iterable[RankMemory]:
    kept, passing = _activations(stage)
    state = RankMemory(
        stage.role,
        "",
        weights=_weights(stage),
        gradients=0,
        optimizer=0 if _offloads(stage) else _optimizer(stage),
        buffers=0,
        activations=0,
        logits=0,
        host=_optimizer(stage) + stage.share * FP32_BYTES if _offloads(stage) else 0,  # and its share of gradients
    )
    logits = _tokens(stage) * stage.model.vocab_size * LOGIT_BYTES if stage.is_last else 0
    if stage.training.pipeline_stages > 1 and stage.is_last:
        # DeepSpeed's pipeline has two buffers at least for what a stage put out, and keeps it until it is overwritten.
        kept_logits = min(MIN_PIPELINE_BUFFERS, stage.batch.accumulation_steps)
        logits += kept_logits * _tokens(stage) * stage.model.vocab_size * stage.element
    yield replace(
        state,
        moment="loss",
        gradients=_gradients_between(stage),
        activations=kept + (passing if passing > logits else 0),
        logits=logits if logits >= passing else 0,
    )
    bucket = _bucket(stage)
    activations = kept if _reduces_while_going_back(stage) and bucket < stage.parameters else 0
    gradients, buffers = _reduction(stage, bucket)
    yield replace(state, moment="reduce", gradients=gradients, buffers=buffers, activations=activations)
    if stage.training.zero_stage:
        share = stage.share * FP32_BYTES
        gradients = _gradients_in_step(stage)
        yield replace(state, moment="step", gradients=gradients, buffers=0 if _offloads(stage) else share)


def _weights(stage: _Stage) -> int:
    if stage.training.zero_stage < 3:
        return stage.parameters * stage.element
    return (stage.share + min(stage.parameters, MAX_GATHERED)) * stage.element


def _optimizer(stage: _Stage) -> int:
    """Moments, and under ZeRO the fp32 weights: DeepSpeed keeps a copy of its share also in fp32."""
    return stage.share * FP32_BYTES * (ADAM_MOMENTS + (stage.training.zero_stage > 0))


def _offloads(stage: _Stage) -> bool:
    return stage.training.optimizer_offload == "cpu"


def _adds_up_whole(stage: _Stage) -> bool:
    """ZeRO-1 in half precision adds gradients up in fp32, uncut, beside those of the micro batch."""
    return stage.training.zero_stage == 1 and stage.element == HALF_BYTES


def _gradients_between(stage: _Stage) -> int:
    """What is kept of the gradients of earlier micro batches when the next one's backward pass begins."""
    has_earlier = stage.batch.accumulation_steps > 1
    if _adds_up_whole(stage):
        return stage.parameters * (FP32_BYTES + (stage.element if has_earlier else 0))
    if stage.training.zero_stage == 3:
        return stage.share * FP32_BYTES
    if not has_earlier:
        return 0
    return (stage.share if stage.training.zero_stage == 2 else stage.parameters) * FP32_BYTES


def _bucket(stage: _Stage) -> int:
    plain = stage.training.zero_stage == 0 or _adds_up_whole(stage)
    return min(stage.parameters, PLAIN_BUCKET if plain else ZERO_BUCKET)


def _reduces_while_going_back(stage: _Stage) -> bool:
    """Whether a full bucket is reduced at once, with activations still there. What takes all gradients is never full
    before; without ZeRO, in a pipeline and in ZeRO-1 with bf16 all reductions come after the backward pass."""
    return stage.training.zero_stage > 0 and stage.training.pipeline_stages == 1 and not _adds_up_whole(stage)


def _reduction(stage: _Stage, bucket: int) -> tuple[int, int]:
    """Gradients, and the buffers that they are flattened into, in fp32, when a bucket of them is reduced."""
    cast = bucket * stage.element if stage.element == HALF_BYTES else 0  # flattened as it is, then in fp32
    if stage.training.zero_stage <= 1:
        whole = stage.parameters * (FP32_BYTES + (stage.element if _adds_up_whole(stage) else 0))
        return whole, bucket * FP32_BYTES
    earlier = stage.share * FP32_BYTES if stage.training.zero_stage == 3 or stage.batch.accumulation_steps > 1 else 0
    again = 2 * cast if stage.training.zero_stage == 3 else 0  # what is scattered is copied once more in fp32
    return earlier + bucket * stage.element, bucket * FP32_BYTES + cast + again


def _gradients_in_step(stage: _Stage) -> int:
    if _adds_up_whole(stage):
        return stage.parameters * (FP32_BYTES + stage.element)
    return stage.share * FP32_BYTES


def _tokens(stage: _Stage) -> int:
    return stage.training.micro_batch_sequences * stage.model.sequence_length


def _activations(stage: _Stage) -> tuple[int, int]:
    """Bytes that are kept for the backward pass, and what passes through the last block while it runs.

    A block of `jobs.pretrain.model` with fused attention keeps of a token 8 + 2 r times the width, at MLP ratio r
    (inputs of two norms and of four matrices, query, key, value; GELU's input), two masks of a byte with dropout,
    and in fp32 two norms' means and deviations and a sum for each head: 34 s b h bytes in 16 bits at r = 4 with dropout
    are Korthikanti et al. 2022, equation 1, without the attention matrix, which a fused attention does not keep.
    """
    model, element = stage.model, stage.element
    block = (8 + 2 * model.mlp_ratio) * model.width * element + (4 + model.num_heads) * FP32_BYTES
    block += 2 * model.width if model.dropout else 0
    one = model.width * element
    if stage.training.activation_checkpointing:
        # Each block keeps its input, and one at a time all of its own.
        kept, passing = stage.num_layers * one, block
    else:
        kept, passing = stage.num_layers * block, 0
    passing += (1 + model.mlp_ratio) * one  # gradients of a block's output and of the MLP's inner activations
    kept += 2 * TOKEN_BYTES if stage.is_first or stage.is_last else 0  # inputs and targets
    kept += model.width if stage.is_first and model.dropout else 0  # the embedding's mask
    if stage.is_last:
        kept += 2 * one  # the inputs of the last norm and of the projection
    else:
        kept += one  # what it put out, until its gradient comes back
    return _tokens(stage) * kept * stage.in_flight, _tokens(stage) * passing
