"""The clients, each behind the same few calls, so that one check serves them all."""

from .cisco import Cisco
from .gnmi_cli import GnmiCli
from .gnmic import Gnmic
from .gnmicli import Gnmicli
from .pygnmi import Pygnmi

ALL = (Gnmic, GnmiCli, Pygnmi, Cisco, Gnmicli)
