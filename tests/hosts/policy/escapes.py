"""Ways out of a container, each as the body that asks an engine for it, with the rule that has to refuse it."""

from typing import Any

Body = dict[str, Any]


def _host(**fields: Any) -> Body:
    return {"Image": "busybox", "HostConfig": fields}


def _mount(**fields: Any) -> Body:
    return _host(Mounts=[{"Target": "/m", **fields}])


def _volume(**options: str) -> Body:
    return _mount(Type="volume", Source="", VolumeOptions={"DriverConfig": {"Name": "local", "Options": options}})


# name: (rule, body of POST /containers/create)
CONTAINERS: dict[str, tuple[str, Body]] = {
    "privileged": ("privileged", _host(Privileged=True)),
    "privileged in small letters": ("privileged", {"Image": "busybox", "hostconfig": {"privileged": True}}),
    "privileged in two spellings": ("unknown", _host(Privileged=False, privileged=True)),
    "two host configs": ("unknown", {"Image": "busybox", "HostConfig": {}, "hostConfig": {"Privileged": True}}),
    "all capabilities": ("capabilities", _host(CapAdd=["ALL"])),
    "all capabilities in small letters": ("capabilities", _host(CapAdd=["all"])),
    "sys_admin": ("capabilities", _host(CapAdd=["SYS_ADMIN"])),
    "cap_sys_admin in small letters": ("capabilities", _host(CapAdd=["cap_sys_admin"])),
    "sys_ptrace behind a harmless one": ("capabilities", _host(CapAdd=["CHOWN", "CAP_SYS_PTRACE"])),
    "sys_module": ("capabilities", _host(CapAdd=["Sys_Module"])),
    "net_admin": ("capabilities", _host(CapAdd=["NET_ADMIN"])),
    "dac_read_search": ("capabilities", _host(CapAdd=["DAC_READ_SEARCH"])),
    "bpf": ("capabilities", _host(CapAdd=["BPF"])),
    "a disk": ("devices", _host(Devices=[{"PathOnHost": "/dev/sda", "PathInContainer": "/dev/x"}])),
    "memory": ("devices", _host(Devices=[{"PathOnHost": "/dev/mem", "PathInContainer": "/dev/mem"}])),
    "all devices": ("devices", _host(Devices=[{"PathOnHost": "/dev", "PathInContainer": "/dev/all"}])),
    "a disk by dots": ("devices", _host(Devices=[{"PathOnHost": "/dev/shm/../sda", "PathInContainer": "/dev/x"}])),
    "a device rule for all": ("device_rules", _host(DeviceCgroupRules=["a *:* rwm"])),
    "a device rule for disks": ("device_rules", _host(DeviceCgroupRules=["b 8:* rwm"])),
    "gpus": ("gpus", _host(DeviceRequests=[{"Count": -1, "Capabilities": [["gpu"]]}])),
    "a device by its interface's name": ("gpus", _host(DeviceRequests=[{"Driver": "cdi", "DeviceIDs": ["v.e/c=all"]}])),
    "gpus by the environment": ("gpus", {"Image": "busybox", "Env": ["NVIDIA_VISIBLE_DEVICES=all"]}),
    "the host's network": ("namespaces", _host(NetworkMode="host")),
    "the host's network in capitals": ("namespaces", _host(NetworkMode="HOST")),
    "the host's network by its endpoint": (
        "namespaces",
        {"Image": "busybox", "NetworkingConfig": {"EndpointsConfig": {"host": {}}}},
    ),
    "the host's processes": ("namespaces", _host(PidMode="host")),
    "the host's memory": ("namespaces", _host(IpcMode="host")),
    "the host's name": ("namespaces", _host(UTSMode="host")),
    "the host's users": ("namespaces", _host(UsernsMode="host")),
    "the host's cgroups": ("namespaces", _host(CgroupnsMode="host")),
    "a namespace by its path": ("namespaces", _host(NetworkMode="ns:/proc/1/ns/net")),
    "processes by a path": ("namespaces", _host(PidMode="ns:/proc/1/ns/pid")),
    "another's network": ("containers", _host(NetworkMode="container:somebodys")),
    "another's processes": ("containers", _host(PidMode="container:somebodys")),
    "another's memory": ("containers", _host(IpcMode="container:somebodys")),
    "another's cgroup": ("containers", _host(Cgroup="container:somebodys")),
    "another's environment by a link": ("containers", _host(Links=["somebodys:db"])),
    "all of the host": ("engine_socket", _host(Binds=["/:/host"])),
    "all of the host by slashes": ("engine_socket", _host(Binds=["//:/host"])),
    "all of the host by a dot": ("engine_socket", _host(Binds=["/.:/host:ro"])),
    "all of the host as a mount": ("engine_socket", _mount(Type="bind", Source="/")),
    "all of the host as a Bind": ("engine_socket", _mount(Type="Bind", Source="/")),
    "a folder": ("binds", _host(Binds=["/etc:/etc2"])),
    "a folder to be read": ("binds", _host(Binds=["/root:/r:ro"])),
    "a folder as a mount": ("binds", _mount(Type="bind", Source="/etc", ReadOnly=True)),
    "a folder that is to be made": (
        "binds",
        _mount(Type="bind", Source="/etc/cron.d/new", BindOptions={"CreateMountpoint": True}),
    ),
    "a folder not followed down": ("binds", _mount(Type="bind", Source="/etc", BindOptions={"NonRecursive": True})),
    "a folder upwards": ("binds", _host(Binds=["/srv/team/../../etc:/e"])),
    "the root of a process": ("binds", _host(Binds=["/proc/1/root:/r"])),
    "the kernel's settings": ("binds", _host(Binds=["/proc/sys:/s"])),
    "the cgroups": ("binds", _host(Binds=["/sys/fs/cgroup:/c:rw"])),
    "the engine's own folder": ("binds", _host(Binds=["/var/lib/docker:/d"])),
    "a folder that appears on the host": ("binds", _host(Binds=["/etc:/e:rshared"])),
    "a folder as a volume's name": ("binds", _mount(Type="volume", Source="/etc")),
    "a folder as a volume without a name": ("binds", {"Image": "busybox", "Volumes": {"/etc:/host": {}}}),
    "a folder behind a comma": ("binds", _mount(Type="volume", Source="data,type=bind,source=/etc")),
    "a pipe of Windows": ("binds", _mount(Type="npipe", Source=r"\\.\pipe\docker_engine")),
    "a folder of Windows": ("binds", _host(Binds=[r"c:\:/c"])),
    "the socket": ("engine_socket", _host(Binds=["/var/run/docker.sock:/s"])),
    "the socket where it is": ("engine_socket", _host(Binds=["/run/docker.sock:/s:ro"])),
    "the socket by slashes and dots": ("engine_socket", _host(Binds=["//var/run/./docker.sock:/s"])),
    "the socket as a mount": ("engine_socket", _mount(Type="bind", Source="/run/docker.sock", ReadOnly=True)),
    "the socket's folder": ("engine_socket", _host(Binds=["/var/run:/r"])),
    "the socket's folder with a slash": ("engine_socket", _host(Binds=["/run/:/r"])),
    "the socket's grandfather": ("engine_socket", _host(Binds=["/var:/v"])),
    "Podman's socket": ("engine_socket", _host(Binds=["/run/podman/podman.sock:/s"])),
    "a user's Podman": ("engine_socket", _host(Binds=["/run/user/1000:/s"])),
    "containerd's socket": ("engine_socket", _host(Binds=["/run/containerd/containerd.sock:/s"])),
    "a bind in disguise": ("volume_types", _volume(type="none", o="bind", device="/")),
    "an rbind in disguise": ("volume_types", _volume(type="none", o="ro,rbind", device="/etc")),
    "a bind in capitals": ("volume_types", _volume(Type="none", O="BIND", Device="/")),
    "a disk in disguise": ("volume_types", _volume(type="ext4", device="/dev/sda1")),
    "a tmpfs that is a bind": ("volume_types", _volume(type="tmpfs", o="bind", device="/etc")),
    "a tmpfs of a device": ("volume_types", _volume(type="tmpfs", device="/dev/sda1")),
    "an overlay in disguise": ("volume_types", _volume(type="overlay", o="lowerdir=/,upperdir=/u,workdir=/w")),
    "a server's folder": ("volume_types", _volume(type="nfs", o="addr=10.0.0.1", device=":/export")),
    "a bind called nfs": ("volume_types", _volume(type="nfs", o="bind", device="/")),
    "another driver": (
        "volume_drivers",
        _mount(Type="volume", Source="", VolumeOptions={"DriverConfig": {"Name": "vieux/sshfs"}}),
    ),
    "another driver for all": ("volume_drivers", _host(VolumeDriver="flocker", Binds=["data:/d"])),
    "a cluster's volume": ("volume_drivers", _mount(Type="cluster", Source="shared")),
    "another's volumes": ("volumes_from", _host(VolumesFrom=["somebodys"])),
    "no seccomp": ("security_options", _host(SecurityOpt=["seccomp=unconfined"])),
    "no seccomp with a colon": ("security_options", _host(SecurityOpt=["seccomp:unconfined"])),
    "a seccomp profile of one's own": (
        "security_options",
        _host(SecurityOpt=['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}']),
    ),
    "no apparmor": ("security_options", _host(SecurityOpt=["apparmor=unconfined"])),
    "another apparmor profile": ("security_options", _host(SecurityOpt=["apparmor=lax"])),
    "no labels": ("security_options", _host(SecurityOpt=["label=disable"])),
    "no labels with a colon": ("security_options", _host(SecurityOpt=["label:disable"])),
    "another label": ("security_options", _host(SecurityOpt=["label=type:spc_t"])),
    "new privileges": ("security_options", _host(SecurityOpt=["no-new-privileges:false"])),
    "paths that are not hidden": ("security_options", _host(SecurityOpt=["systempaths=unconfined"])),
    "no masked paths": ("security_options", _host(MaskedPaths=[])),
    "no read-only paths": ("security_options", _host(ReadonlyPaths=[])),
    "a tmpfs with devices": ("security_options", _host(Tmpfs={"/t": "rw,dev,exec"})),
    "a mounted tmpfs with devices": (
        "security_options",
        _mount(Type="tmpfs", TmpfsOptions={"Options": [["dev"]]}),
    ),
    "a kernel setting": ("sysctls", _host(Sysctls={"kernel.core_pattern": "|/tmp/x"})),
    "a kernel setting with slashes": ("sysctls", _host(Sysctls={"net/ipv4/ip_forward": "1"})),
    "a kernel setting by a network": (
        "sysctls",
        {
            "Image": "busybox",
            "NetworkingConfig": {
                "EndpointsConfig": {
                    "bridge": {
                        "DriverOpts": {"com.docker.network.endpoint.sysctls": "net.ipv4.conf.IFNAME.forwarding=1"}
                    }
                }
            },
        },
    ),
    "a low port": ("ports", _host(PortBindings={"80/tcp": [{"HostPort": "80"}]})),
    "a low port in a range": ("ports", _host(PortBindings={"80/tcp": [{"HostPort": "1000-1100"}]})),
    "a low port on one address": ("ports", _host(PortBindings={"22/tcp": [{"HostIp": "10.0.0.1", "HostPort": "22"}]})),
    "a log driver": (
        "log_drivers",
        _host(LogConfig={"Type": "syslog", "Config": {"syslog-address": "udp://10.0.0.1"}}),
    ),
    "another runtime": ("runtimes", _host(Runtime="my-runtime")),
    "an annotation": ("runtimes", _host(Annotations={"run.oci.handler": "wasm"})),
    "another cgroup": ("cgroup_parent", _host(CgroupParent="/")),
    "never out of memory": ("priority", _host(OomScoreAdj=-1000)),
    "no killing when memory is short": ("priority", _host(OomKillDisable=True)),
    "realtime": ("priority", _host(CpuRealtimeRuntime=950000)),
    "a ulimit of priority": ("ulimits", _host(Ulimits=[{"Name": "rtprio", "Soft": 99, "Hard": 99}])),
    "locked memory": ("ulimits", _host(Ulimits=[{"Name": "RLIMIT_MEMLOCK", "Soft": -1, "Hard": -1}])),
    "a limit of a disk": ("devices", _host(BlkioDeviceReadBps=[{"Path": "/dev/sda", "Rate": 1}])),
    "a storage option": ("storage", _host(StorageOpt={"dm.basesize": "1"})),
    "what nobody knows": ("unknown", _host(EverythingOfTheHost=True)),
}


def _service(container: Body | None = None, task: Body | None = None, **spec: Any) -> Body:
    inner = {"Image": "busybox", **(container or {})}
    return {"Name": "escape", "TaskTemplate": {"ContainerSpec": inner, **(task or {})}, **spec}


# name: (rule, ServiceSpec)
SERVICES: dict[str, tuple[str, Body]] = {
    "all of each node": ("engine_socket", _service({"Mounts": [{"Type": "bind", "Source": "/", "Target": "/h"}]})),
    "the manager's socket": (
        "engine_socket",
        _service({"Mounts": [{"Type": "bind", "Source": "//var/run/./docker.sock", "Target": "/s"}]}),
    ),
    "a folder of each node": ("binds", _service({"Mounts": [{"Type": "bind", "Source": "/etc", "Target": "/e"}]})),
    "a bind in disguise on each node": (
        "volume_types",
        _service(
            {
                "Mounts": [
                    {
                        "Type": "volume",
                        "Source": "escape",
                        "Target": "/m",
                        "VolumeOptions": {
                            "DriverConfig": {"Name": "local", "Options": {"type": "none", "o": "bind", "device": "/"}}
                        },
                    }
                ]
            }
        ),
    ),
    "a capability on each node": ("capabilities", _service({"CapabilityAdd": ["CAP_SYS_ADMIN"]})),
    "no seccomp on each node": ("security_options", _service({"Privileges": {"Seccomp": {"Mode": "unconfined"}}})),
    "a profile of one's own on each node": (
        "security_options",
        _service({"Privileges": {"Seccomp": {"Mode": "custom", "Profile": "e30="}}}),
    ),
    "no apparmor on each node": ("security_options", _service({"Privileges": {"AppArmor": {"Mode": "disabled"}}})),
    "no labels on each node": ("security_options", _service({"Privileges": {"SELinuxContext": {"Disable": True}}})),
    "a credential from a file of the node": (
        "security_options",
        _service({"Privileges": {"CredentialSpec": {"File": "x.json"}}}),
    ),
    "a kernel setting on each node": ("sysctls", _service({"Sysctls": {"net.core.somaxconn": "9"}})),
    "locked memory on each node": ("ulimits", _service({"Ulimits": [{"Name": "memlock", "Soft": -1, "Hard": -1}]})),
    "never out of memory on each node": ("priority", _service({"OomScoreAdj": -1000})),
    "gpus on each node": (
        "gpus",
        _service(
            task={
                "Resources": {
                    "Reservations": {"GenericResources": [{"DiscreteResourceSpec": {"Kind": "gpu", "Value": 1}}]}
                }
            }
        ),
    ),
    "each node's network": ("namespaces", _service(task={"Networks": [{"Target": "host"}]})),
    "a low port of each node": (
        "ports",
        _service(EndpointSpec={"Ports": [{"TargetPort": 80, "PublishedPort": 80, "PublishMode": "host"}]}),
    ),
    "a low port of the swarm": ("ports", _service(EndpointSpec={"Ports": [{"TargetPort": 22, "PublishedPort": 22}]})),
    "a log driver on each node": ("log_drivers", _service(task={"LogDriver": {"Name": "syslog"}})),
    "a plugin on each node": ("runtimes", _service(task={"Runtime": "plugin"})),
    "what nobody knows on each node": ("unknown", _service({"Privileged": True})),
}

# name: (rule, body of POST /volumes/create)
VOLUMES: dict[str, tuple[str, Body]] = {
    "a volume that is the host": (
        "volume_types",
        {"Name": "escape", "Driver": "local", "DriverOpts": {"type": "none", "o": "bind", "device": "/"}},
    ),
    "a volume that is the host, without a driver": (
        "volume_types",
        {"Name": "escape", "DriverOpts": {"type": "none", "o": "rbind", "device": "/etc"}},
    ),
    "a volume that is a disk": (
        "volume_types",
        {"Name": "escape", "DriverOpts": {"type": "ext4", "device": "/dev/sda1"}},
    ),
    "a volume of a plugin": ("volume_drivers", {"Name": "escape", "Driver": "vieux/sshfs"}),
    "a volume of the cluster": ("volume_drivers", {"Name": "escape", "ClusterVolumeSpec": {"Group": "g"}}),
}

# name: (rule, body of POST /networks/create)
NETWORKS: dict[str, tuple[str, Body]] = {
    "an interface of the host": (
        "network_drivers",
        {"Name": "escape", "Driver": "macvlan", "Options": {"parent": "eth0"}},
    ),
    "an interface of the host shared": ("network_drivers", {"Name": "escape", "Driver": "ipvlan"}),
    "a bridge of the host": (
        "network_drivers",
        {"Name": "escape", "Driver": "bridge", "Options": {"com.docker.network.bridge.name": "br0"}},
    ),
    "ports without a wall": (
        "network_drivers",
        {"Name": "escape", "Options": {"com.docker.network.bridge.gateway_mode_ipv4": "nat-unprotected"}},
    ),
    "the host as a driver": ("network_drivers", {"Name": "escape", "Driver": "host"}),
    "addresses from a plugin": ("network_drivers", {"Name": "escape", "IPAM": {"Driver": "dhcp"}}),
    "another way into the swarm": ("network_drivers", {"Name": "escape", "Driver": "overlay", "Ingress": True}),
}

# name: (rule, query of POST /build)
BUILDS: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "a build in the host's network": ("namespaces", [("networkmode", "host")]),
    "a build in another's network": ("containers", [("networkmode", "container:somebodys")]),
    "a build without seccomp": ("unknown", [("securityopt", '["seccomp=unconfined"]')]),
    "a build in another cgroup": ("unknown", [("cgroupparent", "/")]),
    "a build with entitlements": ("unknown", [("entitlements", "security.insecure")]),
}
