"""Questions to an engine about one image, for a page that is already there: short deadlines, nothing changes."""

from typing import Any, TypedDict

from accounts.rights import Right
from hosts.actions.act import demand, demand_enabled, failure
from hosts.engine.connect import client
from hosts.engine.errors import EngineError
from hosts.engine.images import Configuration, Layer, configuration_of, layers_of
from hosts.models import Image

DEADLINE = 5.0


class Description(TypedDict):
    """What an image is made of."""

    configuration: Configuration
    layers: list[Layer]  # newest first


def describe(actor: Any, image: Image) -> Description:
    """Configuration and history of the image. Raises Failure when the engine does not answer in time."""
    demand(actor, Right.IMAGES_VIEW, image)
    host = image.host
    demand_enabled(host)
    try:
        with client(host.endpoint(), timeout=DEADLINE, version=host.api_version or None) as api:
            configuration = configuration_of(api.inspect_image(image.engine_id))
            history = api.history(image.engine_id)
    except EngineError as error:
        raise failure(error) from error
    return {"configuration": configuration, "layers": layers_of(history, configuration["environment"])}
