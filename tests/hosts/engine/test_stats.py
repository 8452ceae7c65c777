"""Numbers out of an engine's stats answers: shapes of cgroup v1, v2 and Podman, restarts, networks that come and go."""

from copy import deepcopy
from typing import Any

import pytest

from hosts.engine.stats import has_past, read_rates, read_sample

V1: dict[str, Any] = {
    "cpu_stats": {
        "cpu_usage": {"total_usage": 5_000_000_000, "percpu_usage": [3_000_000_000, 2_000_000_000]},
        "system_cpu_usage": 100_000_000_000,
    },
    "precpu_stats": {},
    "memory_stats": {
        "usage": 50_000_000,
        "max_usage": 60_000_000,
        "limit": 1_000_000_000,
        "stats": {"cache": 20_000_000, "inactive_file": 1, "total_inactive_file": 10_000_000},
    },
    "blkio_stats": {
        "io_service_bytes_recursive": [
            {"major": 8, "minor": 0, "op": "Read", "value": 4096},
            {"major": 8, "minor": 0, "op": "Write", "value": 8192},
            {"major": 8, "minor": 0, "op": "Sync", "value": 12288},
            {"major": 8, "minor": 16, "op": "Write", "value": 100},
            {"major": 8, "minor": 0, "op": "Total", "value": 12288},
        ]
    },
    "networks": {"eth0": {"rx_bytes": 1000, "tx_bytes": 500}, "eth1": {"rx_bytes": 70, "tx_bytes": 30}},
    "pids_stats": {"current": 4},
}
V2: dict[str, Any] = V1 | {
    "cpu_stats": {
        "cpu_usage": {"total_usage": 5_000_000_000, "usage_in_usermode": 1},
        "system_cpu_usage": 100_000_000_000,
        "online_cpus": 2,
    },
    "memory_stats": {
        "usage": 50_000_000,
        "limit": 1_000_000_000,
        "stats": {"anon": 30_000_000, "file": 20_000_000, "inactive_file": 10_000_000},
    },
    "blkio_stats": {
        "io_service_bytes_recursive": [
            {"major": 8, "minor": 0, "op": "read", "value": 4096},
            {"major": 8, "minor": 0, "op": "write", "value": 8192},
            {"major": 8, "minor": 16, "op": "write", "value": 100},
        ]
    },
}
# an engine on cgroup v2 without a free controller: the shape is there, the numbers are not
V2_BARE = V2 | {"memory_stats": {}, "blkio_stats": {"io_service_bytes_recursive": None}, "pids_stats": {}}


def later(raw: dict[str, Any], seconds: float = 10, cpu: float = 5, **networks: tuple[int, int]) -> dict[str, Any]:
    """The answer after `seconds` in which `cpu` CPU seconds were used; `networks` replaces (received, sent)."""
    answer = deepcopy(raw)
    answer["cpu_stats"]["cpu_usage"]["total_usage"] += int(cpu * 1e9)
    answer["cpu_stats"]["system_cpu_usage"] += int(seconds * 2e9)
    if networks:
        answer["networks"] = {name: {"rx_bytes": rx, "tx_bytes": tx} for name, (rx, tx) in networks.items()}
    return answer


@pytest.mark.parametrize("raw", [V1, V2], ids=["v1", "v2"])
def test_both_cgroup_versions_give_the_same_numbers(raw: dict[str, Any]) -> None:
    sample = read_sample(raw)
    assert sample is not None
    assert (sample.memory_used, sample.memory_limit, sample.pids) == (40_000_000, 1_000_000_000, 4)
    assert (sample.net_rx, sample.net_tx) == (1070, 530)
    assert (sample.block_read, sample.block_write) == (4096, 8292)
    rates = read_rates(later(raw), raw, 10)
    assert rates is not None
    assert rates.cpu == pytest.approx(50)


def test_podman_s_cpu_is_measured_by_its_clock() -> None:
    """Its system_cpu_usage counts only time in which a CPU was busy: on an idle machine all of it is the container's."""
    before = V1 | {"cpu_stats": V1["cpu_stats"] | {"cpu": 0, "online_cpus": 2}, "read": "2026-11-24T22:21:31.2Z"}
    after = later(before, seconds=0.5, cpu=1) | {"read": "2026-11-24T23:21:41.2+01:00"}
    rates, live = read_rates(after, before, 10), read_sample(after, before)
    assert rates and live
    assert rates.cpu == live.cpu_percent == pytest.approx(10)
    assert read_sample(after | {"read": "soon"}, before).cpu_percent == 0  # type: ignore[union-attr]


def test_an_engine_without_controllers_gives_zeros_and_no_error() -> None:
    rates = read_rates(later(V2_BARE), V2_BARE, 10)
    assert rates is not None
    assert (rates.memory, rates.memory_limit, rates.pids, rates.block_write) == (0, 0, 0, 0)


def test_rates_are_what_was_added_a_second() -> None:
    after = later(V1, eth0=(3000, 600), eth1=(70, 130))
    after["blkio_stats"]["io_service_bytes_recursive"][1]["value"] = 8192 + 20_000
    rates = read_rates(after, V1, 10)
    assert rates is not None
    assert (rates.net_rx, rates.net_tx, rates.block_read, rates.block_write) == (200, 20, 0, 2000)


def test_a_restarted_container_s_counters_begin_at_zero() -> None:
    after = later(V1, eth0=(400, 50), eth1=(100, 10))
    after["cpu_stats"]["cpu_usage"]["total_usage"] = 2_000_000_000
    rates = read_rates(after, V1, 10)
    assert rates is not None
    assert rates.cpu == pytest.approx(20)
    assert (rates.net_rx, rates.net_tx) == (43, 6)


def test_a_network_that_is_left_is_no_burst_of_traffic() -> None:
    before = later(V1, eth0=(10**9, 10**9), eth1=(500, 500))
    rates = read_rates(later(before, eth1=(600, 500)), before, 10)
    assert rates is not None
    assert (rates.net_rx, rates.net_tx) == (10, 0)


def test_a_network_that_is_joined_counts_from_zero() -> None:
    before = later(V1, eth0=(10**9, 10**9))
    rates = read_rates(later(before, eth0=(10**9, 10**9), eth1=(100, 20)), before, 10)
    assert rates is not None
    assert (rates.net_rx, rates.net_tx) == (10, 2)


def test_host_networking_has_no_networks() -> None:
    raw = {name: value for name, value in V2.items() if name != "networks"}
    rates = read_rates(later(raw), raw, 10)
    assert rates is not None
    assert rates.net_rx == 0


@pytest.mark.parametrize("before", [None, {}, {"cpu_stats": {}}, {"cpu_stats": {"cpu_usage": {"total_usage": 0}}}])
def test_without_an_earlier_answer_there_are_no_rates(before: Any) -> None:
    assert read_rates(V1, before, 10) is None


def test_a_machine_that_was_started_again_gives_no_rates() -> None:
    after = deepcopy(V1)
    after["cpu_stats"]["system_cpu_usage"] = 1_000_000_000
    assert read_rates(after, V1, 10) is None


@pytest.mark.parametrize(
    "raw",
    [
        [],
        {"cpu_stats": {"cpu_usage": {"total_usage": "many"}}},
        later(V1) | {"networks": ["eth0"], "blkio_stats": {"io_service_bytes_recursive": {"op": 7}}},
        later(V1) | {"networks": {"eth0": None}, "blkio_stats": {"io_service_bytes_recursive": [None, {"op": None}]}},
        later(V1) | {"memory_stats": {"usage": -5, "limit": 10**40, "stats": 7}, "pids_stats": {"current": 1e300}},
        later(V1) | {"cpu_stats": {"cpu_usage": {"total_usage": 1e308, "percpu_usage": 4}, "system_cpu_usage": 10**30}},
    ],
)
def test_nonsense_is_no_error(raw: Any) -> None:
    read_sample(raw)
    read_rates(raw, V1, 10)
    read_rates(V1, raw, 10)


# ---------------------------------------------------------------- Podman
def podman(read: str, preread: str, total: int, system: int, pretotal: int, presystem: int) -> dict[str, Any]:
    """As Podman 4.3 answers: its system time is what all processes were busy, and it adds a share of its own."""
    return V2 | {
        "read": read,
        "preread": preread,
        "cpu_stats": {
            "cpu_usage": {"total_usage": total},
            "system_cpu_usage": system,
            "online_cpus": 2,
            "cpu": 59.43,
        },
        "precpu_stats": {"cpu_usage": {"total_usage": pretotal}, "system_cpu_usage": presystem},
    }


FIRST = podman(
    "2026-11-24T21:48:56.987512033Z",
    "2026-11-24T21:48:56.981591345Z",
    *(933_953_859, 4_949_053_386_933, 930_226_413, 4_949_041_662_600),
)
SECOND = podman(
    "2026-11-24T21:49:01.992101292Z",
    "2026-11-24T21:48:56.987512033Z",
    *(5_273_604_521, 4_957_209_148_840, 933_953_859, 4_949_053_386_933),
)


def test_podman_s_share_is_of_the_time_that_passed() -> None:
    for sample in (read_sample(SECOND), read_sample(SECOND, FIRST)):
        assert sample is not None
        assert sample.cpu_percent == pytest.approx(86.7, abs=0.1)
    rates = read_rates(SECOND, FIRST, 5.0)
    assert rates is not None
    assert rates.cpu == pytest.approx(86.7, abs=0.2)


def test_podman_s_first_answer_has_no_past_worth_comparing_with() -> None:
    assert not has_past(FIRST)
    assert has_past(SECOND)
    sample = read_sample(FIRST)
    assert sample is not None and sample.cpu_percent == 0


@pytest.mark.parametrize("stamp", ["", "noon", "2026-13-45T99:99:99Z", "2026-11-24T21:48:56+99:99", None, 5])
def test_a_time_that_is_none_breaks_nothing(stamp: Any) -> None:
    odd = SECOND | {"read": stamp}
    assert not has_past(odd)
    assert read_sample(odd) is not None
