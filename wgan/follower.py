"""The processes of a run that are not its first one: they step with it and write nothing."""

from .checkpoint import Checkpoint
from .errors import DivergedError, RunError
from .progress import Clock, Voice
from .session import Session


class Follower(Session):
    """A run in progress, in a process that leaves folder, log and evaluations to the first one.

    Its state is the first one's, to the bit, so that it refuses what that refuses.
    """

    def begin(self) -> None:
        """A new run, once the first process has made its folder."""
        if not self.folder.path.is_dir():
            message = (
                f"{self.folder.path}: process {self.workers.rank} does not see this folder, which "
                "the first process made; all of them need it"
            )
            raise RunError(message)
        self.saved_step = self.state.step

    def continue_from(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint."""
        self.take(checkpoint)
        self.saved_step = checkpoint.step

    def prepare(self) -> None:
        """Nothing is evaluated here."""
        self.voice, self.clock = Voice(quiet=True), Clock()

    def advance(self) -> None:
        """One generator step; what the first process saved is saved once all have agreed."""
        super().advance()
        if self.state.step % self.config.checkpoint_every == 0:
            self.saved_step = self.state.step

    def record(self) -> None:
        """Look at the estimates when the first process does."""
        if self.due(self.config.log_every):
            self.read_estimates()

    def diverged(self, what: str) -> None:
        """Stop: the first process sees the same numbers, and looks into them."""
        raise DivergedError(what)

    def save(self) -> None:
        """The first process saves this state."""
