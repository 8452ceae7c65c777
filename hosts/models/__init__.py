from hosts.models.backups import Backup, Destination
from hosts.models.containers import Container, ContainerDetail
from hosts.models.disk import DiskReading
from hosts.models.events import Event
from hosts.models.holds import Hold
from hosts.models.hosts import Host
from hosts.models.images import Image
from hosts.models.networks import Network
from hosts.models.nodes import Node
from hosts.models.owners import Adoption, Share
from hosts.models.plugins import Plugin
from hosts.models.policies import Policy
from hosts.models.processes import Process
from hosts.models.quotas import Pull, Reservation
from hosts.models.recordings import Recording, RecordingPart
from hosts.models.registries import Registry, RegistryAccount
from hosts.models.secrets import Config, Secret
from hosts.models.services import Service, Task
from hosts.models.stats import Series, StatsChunk, StatsRound
from hosts.models.swarms import Swarm, SwarmMember
from hosts.models.uses import Use
from hosts.models.volumes import Volume
from hosts.models.watchers import WatchProcess
from hosts.models.watches import Watch

__all__ = [
    "Adoption",
    "Backup",
    "Destination",
    "Config",
    "Container",
    "ContainerDetail",
    "DiskReading",
    "Event",
    "Hold",
    "Host",
    "Image",
    "Network",
    "Node",
    "Plugin",
    "Policy",
    "Process",
    "Pull",
    "Recording",
    "RecordingPart",
    "Registry",
    "RegistryAccount",
    "Reservation",
    "Secret",
    "Series",
    "Service",
    "Share",
    "StatsChunk",
    "StatsRound",
    "Swarm",
    "SwarmMember",
    "Task",
    "Use",
    "Volume",
    "Watch",
    "WatchProcess",
]
