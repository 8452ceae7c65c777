"""Every websocket route of the product."""

from hosts.sockets import socket_urls as hosts_sockets
from jobs.sockets import socket_urls as jobs_sockets

socket_urls = [*hosts_sockets, *jobs_sockets]
