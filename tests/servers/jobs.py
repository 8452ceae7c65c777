"""Jobs of a product, as a program sees them."""

from typing import Any

from tests.servers.product import Product
from tests.waiting import until


def ended(product: Product, job: int, seconds: float = 60) -> dict[str, Any]:
    """The job once it is over."""

    def over() -> Any:
        row = product.api(f"jobs/{job}")
        return row if row["state"] not in {"queued", "running"} else None

    row: dict[str, Any] = until(over, f"job {job} ends", seconds)
    return row
