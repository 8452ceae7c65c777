"""An engine that is not there: answers like one, and misbehaves on purpose.

with FakeEngine(containers=3) as engine:
    engine.misbehave("/events", Cut(after=100))
    Endpoint(engine.url)
"""

from tests.fake_engine.behaviours import Cut, Drip, Fail, Hang, Lose, NotHTTP, Raw, Repeat
from tests.fake_engine.engine import FakeEngine
from tests.fake_engine.things import FakeContainer

__all__ = ["Cut", "Drip", "Fail", "FakeContainer", "FakeEngine", "Hang", "Lose", "NotHTTP", "Raw", "Repeat"]
