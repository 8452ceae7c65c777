"""Makes a container step by step for a job: provides the image, creates, connects, starts; takes back what failed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from common.errors import Failure
from hosts import logins
from hosts.actions import policing
from hosts.actions.asking import Asking
from hosts.engine import pulls
from hosts.engine.calls import Call
from hosts.engine.errors import EngineError
from hosts.models import Host, Image, Volume
from hosts.options import REFERENCE
from hosts.owning import Corner, check_labels_of, check_there, claim_image
from hosts.quotas.allotting import pulling
from hosts.specs.body import to_engine
from hosts.specs.check import IMAGE_ID
from hosts.specs.spec import ContainerSpec
from jobs.run import JobContext

PULL_SHARE = 0.8  # of the progress
UNDO_SECONDS = 20.0


class Making:
    """One container of `spec` on `host`, for the job of `context`. `id` is "" until it is made. `is_there`: one that is
    there is made anew as it is."""

    def __init__(self, context: JobContext, host: Host, spec: ContainerSpec, *, is_there: bool = False) -> None:
        self.context, self.host, self.spec, self.is_there = context, host, spec, is_there
        self.asking = Asking(host, context)
        self.undoing = Asking(host)  # goes on when the job is cancelled
        self.request = to_engine(spec, self.asking.version)
        self.id = ""
        self._asked = False  # it may be there although no answer came
        self.corner = Corner(host, context.job.team_id)
        self.had: set[str] = set()  # volumes of the container that it takes the place of
        self._volumes: list[str] = []  # that the engine makes with it
        context.hide(*self._secrets())

    def _secrets(self) -> list[str]:
        """Values that may be secret, but for those that the job's target shows anyway."""
        found = [*self.spec.env.values(), *self.spec.log.options.values()]
        found += [value for mount in self.spec.mounts for value in mount.driver_options.values()]
        return [value for value in found if value not in self.spec.image and value not in self.spec.name]

    # ------------------------------------------------------------ image
    def provide_image(self) -> None:
        """Pulls the image where that is wanted, unless the policy forbids the container. Raises EngineError, PolicyRefused,
        and Failure for one that is not there."""
        spec, host = self.spec, self.host
        policing.allow_creation(self.asking.actor, host, self.request, self.asking, is_there=self.is_there)
        self.context.progress(0, _("Looking for the image"), now=True)
        there = self.asking.image(spec.image) if spec.pull != "always" else None
        if there is not None:
            check_there(self.context.job.by, self.corner, Image, str(there.get("Id") or ""), spec.image)
            return
        words = {"host": host.name, "image": spec.image}
        if spec.pull == "never":
            sentence = gettext_noop("%(host)s has no image %(image)s, and pulling it was not wanted.")
            raise Failure("no_image", 404, sentence, words)
        found = REFERENCE.fullmatch(spec.image)
        if found is None or IMAGE_ID.fullmatch(spec.image):
            sentence = gettext_noop("%(host)s has no image %(image)s, and by an ID nothing can be pulled.")
            raise Failure("no_image", 404, sentence, words)
        login = logins.open_login(self.context, found["name"], self.context.params.get("account"))
        counted = pulling(self.corner.owner_id, host, self.context.job.by_name, spec.image)
        with counted, Call(host.endpoint()) as call:
            self.context.on_cancel(call.end)
            try:
                pulls.pull(
                    call,
                    found["name"],
                    found["digest"] or found["tag"] or "latest",
                    version=self.asking.version,
                    report=self._pulled,
                    log=self.context.log,
                    platform=spec.platform,
                    registry=login.registry,
                    user=login.user,
                    headers=login.headers,
                )
            except EngineError:
                self.context.check_cancelled()
                raise
        pulled = self.asking.image(spec.image) or {}
        claim_image(self.context.job.by, self.corner, str(pulled.get("Id") or ""))

    def _pulled(self, share: float, layers: list[dict[str, Any]]) -> None:
        left = sum(layer["state"] not in {"done", "exists"} for layer in layers)
        words = _("Pulling the image: %(n)s layers left") % {"n": left} if left else ""
        self.context.progress(share * PULL_SHARE, words, layers)

    # ------------------------------------------------------------ making
    def create(self) -> None:
        """Creates it and connects it to its further networks."""
        spec = self.spec
        self.context.progress(0.85, _("Creating the container"), now=True)
        if spec.name and self.asking.container(spec.name) is not None:
            raise Failure(
                "name_taken",
                409,
                gettext_noop("%(host)s has a container called %(name)s already. Choose another name."),
                {"host": self.host.name, "name": spec.name},
            )
        self._check_labels(spec.image)
        for name in dict.fromkeys(mount.source for mount in spec.mounts if mount.type == "volume" and mount.source):
            if self.asking.find(f"/volumes/{quote(name, safe='')}") is None:
                self._volumes.append(name)
            elif name not in self.had:
                check_there(self.context.job.by, self.corner, Volume, name, name)
        self._asked = True
        answer = self.asking.ask("POST", "/containers/create", self.request.query, self.request.body) or {}
        self.id = str(answer.get("Id") or "")
        for warning in answer.get("Warnings") or []:
            self.context.log(str(warning))
        self._check_labels()  # the image's name may have gone to another one meanwhile
        for network, endpoint in self.request.connect:
            self.context.progress(0.9, _("Connecting it to %(network)s") % {"network": network}, now=True)
            body = {"Container": self.id, "EndpointConfig": endpoint}
            with self._naming_networks():
                self.asking.ask("POST", f"/networks/{quote(network, safe='')}/connect", body=body)

    def _check_labels(self, image: str = "") -> None:
        """Of the image of that name, else of the one that it was made from."""
        if self.corner.owner_id is None:
            return
        image = image or str((self.asking.container(self.id) or {}).get("Image") or "")
        check_labels_of(self.corner, self.asking.image(image), self.spec)

    def start(self) -> None:
        """Starts it."""
        self.context.progress(0.95, _("Starting"), now=True)
        with self._naming_networks():
            self.asking.ask("POST", f"/containers/{self.id}/start")

    @contextmanager
    def _naming_networks(self) -> Iterator[None]:
        """An engine that was in a swarm once says nothing of the network that it does not find."""
        try:
            yield
        except EngineError as error:
            for network, _endpoint in self.request.connect:
                if self.asking.find(f"/networks/{quote(network, safe='')}") is None:
                    words = {"host": self.host.name, "name": network}
                    sentence = gettext_noop("%(host)s has no network %(name)s.")
                    raise Failure("no_network", 404, sentence, words, str(error)) from error
            raise

    # ------------------------------------------------------------ taking back
    @contextmanager
    def taken_back(self) -> Iterator[None]:
        """Removes what was made when the block fails or is cancelled, or says what is left."""
        try:
            yield
        except BaseException:
            self.take_back()
            raise

    def take_back(self) -> None:
        """Removes what was made, or says what is left."""
        spec, host = self.spec, self.host.name
        try:
            if self._asked and not self.id:
                # the answer to create did not come: its name was free before
                found = self.undoing.container(spec.name) if spec.name else None
                self.id = str((found or {}).get("Id") or "")
                if not spec.name:
                    sentence = _(
                        "%(host)s gave no answer: there may be a container of %(image)s without a name of its own."
                    )
                    self.context.leaves(sentence % {"host": host, "image": spec.image})
            if self.id:
                self.undoing.ask("DELETE", f"/containers/{self.id}", {"force": "1", "v": "1"}, seconds=UNDO_SECONDS)
                self.context.log(_("What was made is removed again."))
        except EngineError as error:
            words = {"name": spec.name or self.id[:12], "host": host, "why": error}
            self.context.leaves(_("The container %(name)s on %(host)s: %(why)s") % words)
            return
        for volume in self._volumes if self._asked else []:
            self._take_volume_back(volume)

    def _take_volume_back(self, volume: str) -> None:
        path = f"/volumes/{quote(volume, safe='')}"
        try:
            if self.undoing.find(path) is not None:
                self.undoing.ask("DELETE", path, seconds=UNDO_SECONDS)
        except EngineError as error:
            words = {"name": volume, "host": self.host.name, "why": error}
            self.context.leaves(_("The volume %(name)s on %(host)s: %(why)s") % words)
