"""Which day it is for those who decide: one calendar for everybody, wherever the machine stands.

An approval ends with a day, and a day ends at midnight somewhere. It is the midnight of the council, not of a server
that happens to keep another zone's time.
"""

from __future__ import annotations

import datetime as dt
import os
from zoneinfo import ZoneInfo

from riskmodels.errors import UsageError

ZONE = "Europe/London"
VARIABLE = "RISKMODELS_TIME_ZONE"


def today() -> dt.date:
    """The day it is now in Europe/London, or in the zone that ``RISKMODELS_TIME_ZONE`` names.

    Raises
    ------
    UsageError
        if there is no such zone.
    """
    name = os.environ.get(VARIABLE) or ZONE
    try:
        zone = ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UsageError(f"{VARIABLE}: there is no time zone {name!r}; name one such as {ZONE}") from None
    return dt.datetime.now(dt.UTC).astimezone(zone).date()
