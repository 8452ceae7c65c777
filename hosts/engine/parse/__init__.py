"""An engine's JSON becomes row values, a module for each noun.

Nothing in it is trusted: lengths are bounded, wrong types become empty values, NUL characters and lone surrogates go
(databases refuse them). What an engine lists in random order is sorted, so that equal rows compare as equal.
"""

from hosts.engine.parse.containers import (
    ContainerRow,
    InspectRow,
    container_row,
    container_row_from_inspect,
    ports_of,
)
from hosts.engine.parse.disk import disk_use
from hosts.engine.parse.events import EventRow, event_row
from hosts.engine.parse.images import ImageRow, image_row
from hosts.engine.parse.networks import NetworkRow, network_row
from hosts.engine.parse.plugins import PluginRow, plugin_row, privileges_of
from hosts.engine.parse.values import labels_of, text, time_of, whole
from hosts.engine.parse.volumes import VolumeRow, options_of, volume_row

__all__ = [
    "ContainerRow", "EventRow", "ImageRow", "InspectRow", "NetworkRow", "PluginRow", "VolumeRow",
    "container_row", "container_row_from_inspect", "disk_use", "event_row", "image_row", "labels_of", "network_row",
    "options_of", "plugin_row", "ports_of", "privileges_of", "text", "time_of", "volume_row", "whole",
]  # fmt: skip
