"""A plugin of pytest for `python -m tests.full_mode`: gives each worker servers of its own, before settings are read."""

import os

from tests.full_mode import address_names

# worker `gw1` has the second pair; whoever is no worker has the first
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_database, _redis = address_names(_worker)
os.environ |= {"DATABASE_URL": os.environ[_database], "REDIS_URL": os.environ[_redis]}
