#!/usr/bin/env python3
"""A throw-away OpenStack for tests: Keystone, Placement, Nova and Cinder, with libvirt and Ceph.

usage: nova_cinder.py run COMMAND...

Runs the command with VITRINE_TEST_IDENTITY=keystone as keystone.py does, and in VITRINE_TEST_CLOUD
the place of the image service that Nova and Cinder will use (HOST:PORT, free), then removes all of
it; the status is that of the command. Servers are QEMU guests without hardware help, volumes are of
Ceph, backups are files. It needs root: libvirt's daemon runs as root, and is the machine's own when
that runs; Nova refuses to start beside guests that it does not know. Some 2 GB of memory and a
minute to start. ./dev conformance installs what it needs.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid

import keystone
import kit
import postgres

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = HERE.parents[1] / ".cache/nova-cinder/venv/bin"
READY_SECONDS = 180
DATABASES = ("nova_api", "nova", "nova_cell0", "placement", "cinder")
PORTS = ("placement", "compute", "volumes", "network", "rabbit", "rabbit_nodes", "names", "image",
         "ceph")
# libvirt asks for a key of the volumes' pool, though the Ceph of the tests asks nobody for one.
NO_KEY = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
KEYRING = pathlib.Path("/etc/ceph/ceph.client.admin.keyring")
QEMU_SETTINGS = pathlib.Path("/etc/libvirt/qemu.conf")
QEMU_AS_ROOT = ('# vitrine\nuser = "root"\ngroup = "root"\nsecurity_driver = "none"\n'
                "namespaces = []\ncgroup_controllers = []\n")

ASKS_AS = """
[{section}]
www_authenticate_uri = {identity}
auth_url = {identity}
auth_type = password
username = vitrine
password = {password}
user_domain_name = Default
project_name = service
project_domain_name = Default
region_name = RegionOne
{more}
"""
NOVA = """
[DEFAULT]
transport_url = rabbit://guest:guest@127.0.0.1:{rabbit}/
compute_driver = libvirt.LibvirtDriver
state_path = {home}
instances_path = {home}/instances
my_ip = 127.0.0.1
host = vitrine-host
use_stderr = true
reserved_host_memory_mb = 0
reserved_host_disk_mb = 0
enabled_apis = osapi_compute
[wsgi]
api_paste_config = {settings}/nova/api-paste.ini
[oslo_concurrency]
lock_path = {home}/locks
[conductor]
workers = 1
[scheduler]
workers = 1
discover_hosts_in_cells_interval = 15
[vnc]
enabled = false
[libvirt]
virt_type = qemu
cpu_mode = none
connection_uri = qemu:///system
[glance]
endpoint_override = http://127.0.0.1:{image}
num_retries = 1
[cinder]
catalog_info = volumev3::publicURL
os_region_name = RegionOne
[oslo_messaging_notifications]
driver = noop
[privsep]
helper_command = {programs}/privsep-helper --config-file {home}/nova.conf
[privsep_osbrick]
helper_command = {programs}/privsep-helper --config-file {home}/nova.conf
[nova_sys_admin]
helper_command = {programs}/privsep-helper --config-file {home}/nova.conf
[workarounds]
skip_cpu_compare_on_dest = true
skip_cpu_compare_at_startup = true
"""
# Not for nova-compute, which refuses to run with a database.
NOVA_DATABASES = """
[api_database]
connection = {database}/nova_api
[database]
connection = {database}/nova
"""
PLACEMENT = """
[DEFAULT]
use_stderr = true
[api]
auth_strategy = keystone
[placement_database]
connection = {database}/placement
"""
CINDER = """
[DEFAULT]
transport_url = rabbit://guest:guest@127.0.0.1:{rabbit}/
auth_strategy = keystone
state_path = {home}
my_ip = 127.0.0.1
host = vitrine-host
api_paste_config = {settings}/cinder/api-paste.ini
resource_query_filters_file = {settings}/cinder/resource_filters.json
glance_api_servers = http://127.0.0.1:{image}
image_conversion_dir = {home}/volumes
enabled_backends = rbd
default_volume_type = __DEFAULT__
osapi_volume_workers = 1
rootwrap_config = {home}/rootwrap.conf
image_volume_cache_enabled = false
verify_glance_signatures = disabled
backup_driver = cinder.backup.drivers.posix.PosixBackupDriver
backup_posix_path = {home}/backups
backup_file_size = 52428800
[rbd]
volume_driver = cinder.volume.drivers.rbd.RBDDriver
rbd_pool = volumes
rbd_user = admin
rbd_ceph_conf = {home}/ceph.conf
rbd_flatten_volume_from_snapshot = true
volume_backend_name = rbd
[database]
connection = {database}/cinder
[oslo_concurrency]
lock_path = {home}/locks
[cinder_sys_admin]
helper_command = {programs}/privsep-helper
[privsep_osbrick]
helper_command = {programs}/privsep-helper
"""
CEPH = """
[global]
fsid = {fsid}
mon host = v2:127.0.0.1:{ceph}/0
public network = 127.0.0.0/8
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
mon data = {home}/mon
osd data = {home}/osd
run dir = {home}
admin socket = {home}/$name.asok
log file = {home}/$name.log
pid file =
crash dir = {home}
keyring =
mon allow pool size one = true
mon warn on pool no redundancy = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = bluestore
osd memory target = 939524096
osd class load list = *
bluestore block size = 12884901888
"""
GUNICORN = """
wsgi_app = "{module}:application"
bind = "127.0.0.1:{port}"
workers = 1
threads = 8
worker_class = "gthread"
timeout = 300
control_socket_disable = True
"""


def listens(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


def answers(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5):
            return True
    except urllib.error.HTTPError:
        return True  # it speaks, if only to refuse
    except OSError:
        return False


class OpenStack:
    """All of it over one folder. Start it once; `stop` ends what was started, newest first."""

    def __init__(self, home, identity, database):
        self.home = home
        self.identity = identity
        self.ports = {name: kit.free_port() for name in PORTS}
        self.fsid = str(uuid.uuid4())
        self.values = {"home": home, "programs": PROGRAMS, "settings": PROGRAMS.parent / "etc",
                       "identity": identity.url, "fsid": self.fsid,
                       "database": f"postgresql+psycopg2://vitrine@127.0.0.1:{database.port}",
                       **self.ports}
        self.database = database
        self.processes = []
        for folder in ("locks", "instances", ".cinder", "volumes", "backups", "mon", "osd"):
            (home / folder).mkdir()
        # Its libraries find ceph.conf by this; Cinder's its settings in HOME.
        self.environment = {**os.environ, "HOME": str(home), "CEPH_CONF": str(home / "ceph.conf"),
                            "PATH": f"{PROGRAMS}:{os.environ['PATH']}"}

    # Settings.

    def asks_as(self, section, more=""):
        return ASKS_AS.format(section=section, more=more, password=keystone.PASSWORD,
                              **self.values)

    def write(self, name, *parts):
        (self.home / name).write_text("".join(part.format(**self.values) if "[DEFAULT]" in part
                                              or part in (CEPH, NOVA_DATABASES, PLACEMENT)
                                              else part for part in parts))

    def write_settings(self):
        token = self.asks_as("keystone_authtoken", "service_token_roles_required = true")
        service = self.asks_as("service_user", "send_service_user_token = true")
        nova = (token, service, self.asks_as("placement"), self.asks_as("neutron"))
        self.write("ceph.conf", CEPH)
        self.write("placement.conf", PLACEMENT, token)
        self.write("nova.conf", NOVA, NOVA_DATABASES, *nova)
        self.write("nova-compute.conf", NOVA, *nova)
        self.write(".cinder/cinder.conf", CINDER, token, service)
        settings = self.values["settings"]
        rootwrap = (settings / "cinder/rootwrap.conf").read_text()
        lines = {"exec_dirs": f"/sbin,/usr/sbin,/bin,/usr/bin,{PROGRAMS}",
                 "filters_path": f"{settings}/cinder/rootwrap.d"}
        kept = [line for line in rootwrap.splitlines() if line.split("=")[0].strip() not in lines]
        (self.home / "rootwrap.conf").write_text("\n".join(
            [*kept, *(f"{name}={value}" for name, value in lines.items())]) + "\n")

    # Programs.

    def run(self, *command, **options):
        done = subprocess.run(command, env=self.environment, cwd=self.home, text=True, check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, **options)
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed:\n{(done.stdout + done.stderr)[-4000:]}")
        return done.stdout

    def works(self, *command):
        with contextlib.suppress(RuntimeError):
            self.run(*command)
            return True
        return False

    def spawn(self, name, *command, environment=None, folder=None):
        with (self.home / f"{name}.out").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=folder or self.home, start_new_session=True, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env={**self.environment, **(environment or {})})
        self.processes.append((name, process))

    def serve(self, name, port, module, **environment):
        """A WSGI application; it gets no arguments, which it would take for its own."""
        folder = self.home / f"serve-{name}"
        folder.mkdir()
        (folder / "gunicorn.conf.py").write_text(GUNICORN.format(module=module, port=port))
        self.spawn(name, PROGRAMS / "gunicorn", folder=folder, environment=environment)

    def wait_until(self, condition, what):
        """Looks again until it is true, or the program that was started last has ended."""
        name, newest = self.processes[-1]
        deadline = time.monotonic() + READY_SECONDS
        while not condition():
            with contextlib.suppress(subprocess.TimeoutExpired):
                raise RuntimeError(f"{name} ended with {newest.wait(0.1)} before {what} was there")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{what} is not there after {READY_SECONDS} s")

    # What is started, in this order.

    def start(self):
        self.write_settings()
        for name in DATABASES:
            self.database.sql(f"CREATE DATABASE {name}")
        self.start_rabbit()
        self.start_ceph()
        self.make_schemas()
        self.start_libvirt()
        self.spawn("network", sys.executable, HERE / "no_network.py", str(self.ports["network"]))
        self.add_to_catalog()
        self.start_services()

    def start_rabbit(self):
        home, ports = self.home, self.ports
        (home / "plugins").write_text("[].")
        (home / "rabbitmq.conf").write_text("")
        self.spawn("epmd", "epmd", "-port", str(ports["names"]), "-address", "127.0.0.1",
                   environment={"ERL_EPMD_RELAXED_COMMAND_CHECK": "1"})
        self.spawn("rabbit", "/usr/lib/rabbitmq/bin/rabbitmq-server", environment={
            "ERL_EPMD_PORT": str(ports["names"]), "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"vitrine{ports['rabbit']}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "RABBITMQ_NODE_PORT": str(ports["rabbit"]),
            "RABBITMQ_DIST_PORT": str(ports["rabbit_nodes"]),
            "RABBITMQ_MNESIA_BASE": f"{home}/rabbit", "RABBITMQ_LOG_BASE": f"{home}/rabbit-log",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{home}/plugins",
            "RABBITMQ_CONF_ENV_FILE": f"{home}/none", "RABBITMQ_CONFIG_FILE": f"{home}/rabbitmq",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS":
                "-kernel inet_dist_use_interface {127,0,0,1}"})
        self.wait_until(lambda: listens(ports["rabbit"]), "RabbitMQ")

    def start_ceph(self):
        """A monitor and one OSD, with a pool for volumes."""
        self.run("monmaptool", "--create", "--fsid", self.fsid, "--addv", "a",
                 f"[v2:127.0.0.1:{self.ports['ceph']}/0]", "monmap")
        shutil.rmtree(self.home / "mon")
        self.run("ceph-mon", "--mkfs", "-i", "a", "--monmap", "monmap")
        self.spawn("ceph-mon", "ceph-mon", "-f", "-i", "a")
        self.wait_until(lambda: self.works("timeout", "10", "ceph", "-s"), "Ceph")
        osd = str(uuid.uuid4())
        self.run("ceph", "osd", "new", osd)
        self.run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        self.spawn("ceph-osd", "ceph-osd", "-f", "-i", "0")
        self.wait_until(lambda: "1 up" in self.run("ceph", "osd", "stat"), "the OSD of Ceph")
        self.run("ceph", "osd", "pool", "create", "volumes", "8")
        self.run("rbd", "pool", "init", "volumes")

    def make_schemas(self):
        nova = ("nova-manage", "--config-file", "nova.conf")
        self.run("placement-manage", "--config-file", "placement.conf", "db", "sync")
        self.run(*nova, "api_db", "sync")
        self.run(*nova, "cell_v2", "map_cell0", "--database_connection",
                 f"{self.values['database']}/nova_cell0")
        self.run(*nova, "db", "sync")
        self.run(*nova, "cell_v2", "create_cell", "--name", "cell1")
        self.run("cinder-manage", "--config-file", ".cinder/cinder.conf", "db", "sync")

    def virsh(self, *command):
        return self.run("virsh", "-c", "qemu:///system", *command)

    def start_libvirt(self):
        if not KEYRING.exists():  # os-brick reads it, though Ceph asks for no key
            KEYRING.parent.mkdir(exist_ok=True)
            KEYRING.write_text(f"[client.admin]\n\tkey = {NO_KEY}\n")
        if not self.works("virsh", "-c", "qemu:///system", "version"):
            settings = QEMU_SETTINGS.read_text()
            if QEMU_AS_ROOT not in settings:
                QEMU_SETTINGS.write_text(settings + QEMU_AS_ROOT)
            pathlib.Path("/run/libvirt").mkdir(exist_ok=True)
            self.spawn("virtlogd", "/usr/sbin/virtlogd")
            self.spawn("libvirtd", "/usr/sbin/libvirtd")
            self.wait_until(lambda: self.works("virsh", "-c", "qemu:///system", "version"),
                            "libvirt")
        secret = self.home / "secret.xml"
        secret.write_text(f"<secret ephemeral='yes' private='no'><uuid>{self.fsid}</uuid>"
                          f"<usage type='ceph'><name>vitrine {self.fsid}</name></usage></secret>")
        self.virsh("secret-define", str(secret))
        key = self.home / "secret.key"
        key.write_text(NO_KEY)
        self.virsh("secret-set-value", self.fsid, "--file", str(key))

    def add_to_catalog(self):
        urls = {"placement": f"http://127.0.0.1:{self.ports['placement']}",
                "compute": f"http://127.0.0.1:{self.ports['compute']}/v2.1",
                "network": f"http://127.0.0.1:{self.ports['network']}",
                "volumev3": f"http://127.0.0.1:{self.ports['volumes']}/v3/$(project_id)s",
                "image": f"http://127.0.0.1:{self.ports['image']}"}
        administrator = keystone.Administrator(self.identity.port)
        for kind, url in urls.items():
            made = administrator.call("POST", "/services", {"service": {"type": kind,
                                                                        "name": kind}})
            for interface in ("public", "internal", "admin"):
                administrator.call("POST", "/endpoints", {"endpoint": {
                    "service_id": made["service"]["id"], "interface": interface,
                    "region_id": "RegionOne", "url": url}})

    def start_services(self):
        nova, compute = ("--config-file", "nova.conf"), ("--config-file", "nova-compute.conf")
        volumes = ("--config-file", ".cinder/cinder.conf")
        home, ports = self.home, self.ports
        for name in ("placement", "nova"):
            (home / name).mkdir(exist_ok=True)
            shutil.copy(home / f"{name}.conf", home / name)
        self.serve("placement", ports["placement"], "placement.wsgi.api",
                   OS_PLACEMENT_CONFIG_DIR=str(home / "placement"))
        self.wait_until(lambda: answers(ports["placement"]), "Placement")
        self.spawn("nova-conductor", PROGRAMS / "nova-conductor", *nova)
        self.spawn("nova-scheduler", PROGRAMS / "nova-scheduler", *nova)
        self.spawn("nova-compute", PROGRAMS / "nova-compute", *compute)
        shutil.copytree(self.values["settings"] / "nova", home / "nova", dirs_exist_ok=True)
        self.serve("nova-api", ports["compute"], "nova.wsgi.osapi_compute",
                   OS_NOVA_CONFIG_DIR=str(home / "nova"))
        for name in ("cinder-scheduler", "cinder-volume", "cinder-backup"):
            self.spawn(name, PROGRAMS / name, *volumes)
        self.serve("cinder-api", ports["volumes"], "cinder.wsgi.api")
        self.wait_until(lambda: answers(ports["volumes"]), "Cinder")
        self.wait_until(lambda: answers(ports["compute"]), "Nova")
        self.wait_until(self.has_host, "a host of Nova")

    def has_host(self):
        self.run("nova-manage", "--config-file", "nova.conf", "cell_v2", "discover_hosts")
        return "vitrine-host" in self.run("nova-manage", "--config-file", "nova.conf", "cell_v2",
                                          "list_hosts")

    def show_logs(self):
        """The end of what each program said, for whoever reads why it did not start."""
        for path in sorted(self.home.glob("**/*.out")):
            print(f"--- {path.name}:\n{path.read_text(errors='replace')[-1500:]}", file=sys.stderr)

    # The end.

    def remove_guests(self):
        """Guests outlive the daemon; ours have their disks below our folder or in our Ceph."""
        for name in self.virsh("list", "--all", "--name").split():
            described = self.virsh("dumpxml", name)
            if str(self.home) in described or self.fsid in described:
                for verb in ("destroy", "undefine"):
                    with contextlib.suppress(RuntimeError):  # it does not run
                        self.virsh(verb, name)
        with contextlib.suppress(RuntimeError):
            self.virsh("secret-undefine", self.fsid)

    def end(self, *names):
        for name, process in reversed(self.processes):
            if process.poll() is not None or (names and name not in names):
                continue
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def stop(self):
        self.end("nova-compute")
        with contextlib.suppress(RuntimeError, FileNotFoundError):  # libvirt has not begun
            self.remove_guests()
        self.end()


@contextlib.contextmanager
def started(_):
    if not (PROGRAMS / "nova-manage").exists():
        sys.exit("nova_cinder.py: no Nova is installed; ./dev conformance does it")
    with contextlib.ExitStack() as stack:
        identity = stack.enter_context(keystone.running())
        database = postgres.Cluster()
        stack.callback(database.remove)
        home = pathlib.Path(tempfile.mkdtemp(prefix="vitrine-openstack-", dir="/var/tmp"))
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        openstack = OpenStack(home, identity, database)
        stack.callback(openstack.stop)
        try:
            openstack.start()
        except RuntimeError:
            openstack.show_logs()
            raise
        yield {"VITRINE_TEST_IDENTITY": "keystone",
               "VITRINE_TEST_KEYSTONE_CLOUDS": str(identity.clouds_file),
               "VITRINE_TEST_CLOUD": json.dumps(
                   {"image": f"127.0.0.1:{openstack.ports['image']}"})}


if __name__ == "__main__":
    sys.exit(kit.run_within("Runs a command with an OpenStack of its own.", started))
