"""The options of a training run; the command line is made from them."""

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .algorithms import AlgorithmName, algorithm
from .errors import ConfigError
from .options import over, read_options, write_options

FREE_ON_RESUME = frozenset(
    {"out", "steps", "eval_every", "checkpoint_every", "log_every", "keep", "tensorboard", "device",
     "threads", "deterministic"}
)  # fmt: skip
"""Options that may change when a run is resumed: none of them enters Algorithm 1.

The device, its algorithms and the numbers of threads and processes change the rounding of sums: a
resumed run continues to the bit only where they stay. On another device the random streams
begin anew too.
"""

ABSENT: dict[str, Any] = {
    "decay_steps": 0, "decay": "linear", "optimizer": None, "critic_learning_rate": None,
    "critic_decays": True, "deterministic": False,
}  # fmt: skip
"""Options that came after the first runs, with the value under which a run is as it was before.

Every new option has its entry here, whatever its default, so that older runs are still read.
"""


@dataclass(frozen=True)
class TrainingConfig:
    """Options of a run; the defaults of the algorithm are the paper's (its Algorithm 1).

    An option that is None takes the algorithm's own number, and holds it once this is built.

    Raises
    ------
    ConfigError
        For a value that an option does not admit.
    """

    out: Path
    """Run folder: new or empty, or with --resume one that holds a run."""
    data: str = "digits"
    """Data set with options: digits, stacked (three digits in an image), ring, grid, swiss-roll or
    lines (laws in the plane), or the path of a packed set, an array in .npy or .npz, an IDX file or
    a folder of images, such as ring,modes=12 or photographs,size=64,mirror=yes."""
    algorithm: AlgorithmName = "wgan"
    """wgan is Algorithm 1 to the letter, wgan-2017 the authors' program; others in the manual."""
    steps: int = 2000
    """Generator steps in all, those before a resume included."""
    seed: int = 0
    """Seed of every random number of the run: weights, batches, noise, evaluation."""
    learning_rate: float | None = None
    """Learning rate (the paper's alpha, 5e-5) of generator and critic; None: the algorithm's."""
    critic_learning_rate: float | None = None
    """Learning rate of the critic where it has its own; None: that of the generator."""
    optimizer: Literal["rmsprop", "adam"] | None = None
    """Of both networks; None: the algorithm's. The paper warns of Adam with beta1 > 0."""
    decay_steps: int = 0
    """Generator steps in which the learning rate falls to 0; with 0 it stays."""
    decay: Literal["linear", "cosine"] = "linear"
    """How it falls; along half a cosine it is small for longer, and the networks come to rest."""
    critic_decays: bool = True
    """Whether the critic's falls too. One that stays fast overtakes a generator that slows down:
    the critic of every moment is then nearly the best one, and the generator comes to rest."""
    beta1: float | None = None
    """Adam's decay rate of the first moment; None: the algorithm's. RMSProp has none."""
    beta2: float | None = None
    """Adam's decay rate of the second moment; None: the algorithm's. RMSProp has its own."""
    clip: float = 0.01
    """wgan, wgan-2017: critic parameters in [-clip, clip] (the paper's c), in their units."""
    radius: float = 1.0
    """wgan-sphere: Frobenius norm of every weight and bias of the critic."""
    penalty: float = 10.0
    """wgan-gp, wgan-lp: weight of the squared excess of the critic's slope over 1."""
    saturating: bool = False
    """gan: whether the generator minimises log(1 - D), which saturates, and not -log D."""
    batch_size: int = 64
    """Samples in a batch (the paper's m)."""
    critic_steps: int | None = None
    """Critic steps before each generator step (the paper's n_critic, 5); None: the algorithm's."""
    latent: int = 64
    """Dimension of the generator's standard normal input z."""
    generator: str = "small"
    """Network of the generator, with options: small, plane, mlp,widths=64x64, dcgan,filters=32."""
    critic: str | None = None
    """Network of the critic, likewise; None: the algorithm's. Clipped slopes die with depth."""
    average_decay: float = 0.999
    """Decay, a generator step, of the averaged generator's parameters; 0 keeps no average."""
    eval_every: int = 100
    """Generator steps between evaluations (exact W1 to held-out data, picture of samples)."""
    checkpoint_every: int = 100
    """Generator steps between checkpoints."""
    log_every: int = 10
    """Generator steps between lines of metrics.jsonl, where the loss is also checked."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of the networks' products; parameters, penalties and averages stay in float32. On recent GPUs
    convolutions in float32 round their factors to TF32, torch's default."""
    channels_last: bool = False
    """Memory order of convolutions, faster on recent GPUs."""
    keep: int = 2
    """Newest checkpoints that are kept, beside that of the best evaluation."""
    tensorboard: bool = False
    """Also write curves and pictures for TensorBoard, into the folder tensorboard of the run."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute; auto takes a GPU if there is one."""
    deterministic: bool = True
    """On a GPU: only algorithms with the same bits in every run; others may be faster."""
    threads: int = 1
    """CPU threads of torch; more help wide networks only. 0 leaves torch's own choice."""

    def __post_init__(self) -> None:
        _of_kind("out", self.out, (str, os.PathLike), "a path")
        _of_kind("data", self.data, str, "the name of a data set")
        object.__setattr__(self, "out", Path(self.out))
        self._make_plain()
        own = algorithm(self.algorithm)
        for name in ("learning_rate", "critic_steps", "optimizer", "beta1", "beta2", "critic"):
            if getattr(self, name) is None:
                object.__setattr__(self, name, getattr(own, name))
        for name in ("generator", "critic"):
            _of_kind(name, getattr(self, name), str, "the name of a network")
        for name in ("batch_size", "critic_steps", "latent", "eval_every", "checkpoint_every",
                     "log_every", "keep"):  # fmt: skip
            _integer(name, getattr(self, name), least=1)
        _integer("steps", self.steps, least=0)
        _integer("decay_steps", self.decay_steps, least=0)
        _integer("seed", self.seed, least=0, most=2**63 - 1)
        _integer("threads", self.threads, least=0, most=1024)
        for name in ("learning_rate", "clip", "radius", "penalty"):
            _positive(name, getattr(self, name))
        if self.critic_learning_rate is not None:
            _positive("critic_learning_rate", self.critic_learning_rate)
        for name in ("average_decay", "beta1", "beta2"):
            _fraction(name, getattr(self, name))
        for name in (
            "saturating",
            "channels_last",
            "tensorboard",
            "critic_decays",
            "deterministic",
        ):
            _of_kind(name, getattr(self, name), bool, "true or false")
        if self.optimizer not in ("rmsprop", "adam"):
            _refuse("optimizer", "be rmsprop or adam", self.optimizer)
        if self.decay not in ("linear", "cosine"):
            _refuse("decay", "be linear or cosine", self.decay)
        if self.precision not in ("float32", "bfloat16"):
            _refuse("precision", "be float32 or bfloat16", self.precision)
        if self.device not in ("auto", "cpu", "cuda"):
            _refuse("device", "be auto, cpu or cuda", self.device)

    def _make_plain(self) -> None:
        """Numbers and texts of types derived from Python's, as NumPy's are, become Python's own."""
        for name, value in list(vars(self).items()):
            for kind in (int, float, str):
                if isinstance(value, kind) and not isinstance(value, bool):
                    object.__setattr__(self, name, kind(value))

    def to_json(self) -> dict[str, Any]:
        """The options as JSON values, without the folder (a run may be moved)."""
        values = dataclasses.asdict(self)
        del values["out"]
        return values

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the options, without the folder, as YAML, or as JSON to a name in .json."""
        write_options(Path(path), self.to_json())

    @classmethod
    def read(
        cls, path: str | os.PathLike[str], out: str | os.PathLike[str], **changes: Any
    ) -> "TrainingConfig":
        """The options in a YAML or JSON file, or in a run's run.json.

        Parameters
        ----------
        path : path
            A mapping of options, as :meth:`write` makes it; those it lacks have their defaults.
        out : path
            The run folder: no file of options names one.
        **changes
            Options that go before those of the file. With another ``algorithm`` than the file's,
            what it says about options that this one does not read falls away.

        Raises
        ------
        ConfigError
            In one line, for a file that cannot be read, unknown options or bad values.
        """
        return cls.of(over(read_options(Path(path)), changes), out, str(path))

    @classmethod
    def of(
        cls, values: dict[str, Any], out: str | os.PathLike[str], source: str
    ) -> "TrainingConfig":
        """The options in a mapping from ``source``; those it lacks have their defaults."""
        unknown = sorted(set(values) - {field.name for field in dataclasses.fields(cls)})
        if unknown or "out" in values:
            message = f"{source}: {(unknown or ['out'])[0]!r} is no option that a file can hold"
            raise ConfigError(message)
        return cls(out=Path(out), **values)

    @classmethod
    def from_json(cls, values: dict[str, Any], out: Path) -> "TrainingConfig":
        """The options that :meth:`to_json` wrote, for a run that now lies in ``out``.

        Those in ``ABSENT`` may be missing: the run is older than they are.
        """
        values = {**ABSENT, **values}
        known = {field.name for field in dataclasses.fields(cls)} - {"out"}
        if set(values) != known:
            odd = ", ".join(sorted(set(values) ^ known))
            message = f"the options of this run are not those of this version of wgan ({odd})"
            raise ConfigError(message)
        return cls(out=out, **values)

    @property
    def learning_rates(self) -> tuple[float, float]:
        """Of the generator and of the critic, before they fall."""
        generator = float(self.learning_rate or 0.0)  # never None: the algorithm's was put in
        return generator, float(self.critic_learning_rate or generator)

    def differences(self, other: "TrainingConfig") -> list[str]:
        """The options that differ and may not on a resume, as ``name: here -> there``."""
        return [
            f"{field.name}: {getattr(self, field.name)} -> {getattr(other, field.name)}"
            for field in dataclasses.fields(self)
            if field.name not in FREE_ON_RESUME
            and getattr(self, field.name) != getattr(other, field.name)
        ]


def _of_kind(name: str, value: object, kinds: Any, what: str) -> None:
    if not isinstance(value, kinds):
        _refuse(name, f"be {what}", value)


def _integer(name: str, value: object, least: int, most: int = 2**31 - 1) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        _refuse(name, f"be an integer from {least} to {most}", value)


def _positive(name: str, value: object) -> None:
    """Positive, and a normal number in the parameters' single precision."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 1.2e-38 <= value <= 3.4e38:  # type: ignore[operator]
        _refuse(name, "be a positive number from 1.2e-38 to 3.4e38", value)


def _fraction(name: str, value: object) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 <= value < 1:  # type: ignore[operator]
        _refuse(name, "be a number from 0 to below 1", value)


def _refuse(name: str, requirement: str, value: object) -> None:
    message = f"option {name} must {requirement}; got {value!r}"
    raise ConfigError(message)
