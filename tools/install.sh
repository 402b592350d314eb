# What ./dev installs, and how. Sourced, never run.
# Every function returns at once when nothing is missing.

packages_build=(
  g++ cmake ninja-build ccache lld pkg-config python3
  libboost1.81-dev libssl-dev libsqlite3-dev libpq-dev libsodium-dev libcurl4-openssl-dev libfmt-dev
  libcli11-dev libtomlplusplus-dev libyaml-cpp-dev libutf8proc-dev prometheus-cpp-dev libgtest-dev
  zlib1g-dev libzstd-dev libseccomp-dev
)
packages_clang=(clang-19 clang-format-19 clang-tidy-19 libclang-rt-19-dev)
packages_test=(
  python3-venv ca-certificates curl openssl postgresql qemu-utils bubblewrap sqlite3 libfaketime
  systemd
)
packages_ceph=(ceph-mon ceph-osd ceph-common radosgw)
packages_openstack=(
  rabbitmq-server postgresql qemu-utils qemu-system-x86 qemu-block-extra
  libvirt-daemon libvirt-daemon-system
  libvirt-daemon-driver-qemu libvirt-clients python3-libvirt genisoimage
  "${packages_ceph[@]}" python3-rados python3-rbd
)
packages_bench=(nginx-light wrk openssl curl postgresql)

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "dev: need root or sudo to run: $*" >&2
    return 1
  fi
}

# need_apt PACKAGE...: installs those that are not installed.
need_apt() {
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  echo "dev: installing ${missing[*]}"
  mkdir -p .cache
  as_root apt-get -qq update
  # The options stand in the command because sudo does not pass the environment on.
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 \
    install --yes --no-install-recommends "${missing[@]}" >.cache/apt.log 2>&1 || {
    cat .cache/apt.log >&2
    return 1
  }
}

# need_venv FOLDER FILE...: a virtual environment with the packages of these requirements files.
# Rebuilt when one of them or the interpreter changes, or the clone was moved: its programs begin
# with the path of their interpreter.
need_venv() {
  local folder=$1 stamp
  shift
  stamp=$(cat "$@"; python3 -V; pwd)
  if [ ! -e "$folder/stamp" ] || [ "$(cat "$folder/stamp")" != "$stamp" ]; then
    need_apt python3-venv
    echo "dev: installing Python packages into $folder"
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check $(printf -- '-r %s ' "$@")
    printf '%s\n' "$stamp" >"$folder/stamp"
  fi
}

need_python() { need_venv .cache/venv tests/requirements*.txt; }

# What tests/components/keystone.py starts; apart, since its packages are others.
need_keystone() { need_venv .cache/keystone/venv tests/components/requirements-keystone.txt; }

# What tests/components/barbican.py starts.
need_barbican() { need_venv .cache/barbican/venv tests/components/requirements-barbican.txt; }

# What tests/components/nova_cinder.py starts. The bindings of Ceph and libvirt are Debian's: they
# are in no package registry of Python.
need_openstack() {
  local site
  need_apt "${packages_openstack[@]}"
  need_venv .cache/nova-cinder/venv tests/components/requirements-nova-cinder.txt
  site=$(echo .cache/nova-cinder/venv/lib/python3*/site-packages)
  ln -sf /usr/lib/python3/dist-packages/{rados,rbd,libvirtmod}*.so \
    /usr/lib/python3/dist-packages/libvirt*.py "$site"
}

# need_for_stages ARGUMENT...: what the named stages of tools/run_tests.py need, or all of them.
need_for_stages() {
  local stage stages=() packages=(python3)
  for stage in $(stage_names); do
    case " $* " in *" $stage "*) stages+=("$stage") ;; esac
  done
  [ ${#stages[@]} -gt 0 ] || read -ra stages <<<"$(stage_names)"
  for stage in "${stages[@]}"; do
    case $stage in
      house) packages+=(clang-format-19) ;;
      *) packages+=("${packages_build[@]}" "${packages_test[@]}") ;;
    esac
    case $stage in
      postgres) packages+=(pgbouncer) ;;
      asan | tsan | fuzz) packages+=("${packages_clang[@]}") ;;
    esac
  done
  need_apt "${packages[@]}"
  need_python
  for stage in "${stages[@]}"; do
    case $stage in
      keystone | chaos)
        need_keystone
        need_barbican
        ;;
    esac
    case $stage in
      s3 | chaos | clients) need_go ;;
    esac
  done
}

# A Go new enough for the modules of tests/clients, as .cache/go/bin/go. Debian 12 has Go 1.19, too
# old for them, but able to fetch a newer toolchain: those are modules like any other.
go_minimum=1.25
go_toolchain=v0.0.1-go1.25.5.linux-$(dpkg --print-architecture)
need_go() {
  local found
  if [ -x .cache/go/bin/go ]; then return 0; fi
  if found=$(command -v go) && go_is_new_enough "$found"; then
    mkdir -p .cache/go/bin
    ln -sf "$found" .cache/go/bin/go
    return 0
  fi
  need_apt golang-go
  echo "dev: fetching a Go toolchain into .cache/go"
  rm -rf .cache/go .cache/go.fetch
  mkdir -p .cache/go.fetch
  (cd .cache/go.fetch && GOFLAGS=-modcacherw GOMODCACHE=$PWD/modules GOPATH=$PWD \
    go mod download "golang.org/toolchain@$go_toolchain")
  mv ".cache/go.fetch/modules/golang.org/toolchain@$go_toolchain" .cache/go
  rm -rf .cache/go.fetch
  # A module archive carries no executable bits.
  chmod +x .cache/go/bin/* .cache/go/pkg/tool/*/*
}

go_is_new_enough() {
  local version
  version=$("$1" env GOVERSION 2>/dev/null) || return 1
  [ "$(printf 'go%s\n%s\n' "$go_minimum" "$version" | sort -V | head -1)" = "go$go_minimum" ]
}

# Real disk images for the demo, out of Debian packages that are fetched but not installed.
need_sample_images() {
  if [ -e .cache/samples/done ]; then return 0; fi
  echo "dev: fetching sample images (grub-rescue-pc, memtest86+)"
  rm -rf .cache/samples
  mkdir -p .cache/samples/packages
  (
    cd .cache/samples/packages
    # Root's apt drops to the user _apt, who may not write here; it says so and goes on.
    apt-get -qq download grub-rescue-pc memtest86+ 2>/dev/null ||
      { as_root apt-get -qq update && apt-get -qq download grub-rescue-pc memtest86+; }
    for package in *.deb; do dpkg-deb -x "$package" root; done
  )
  local root=.cache/samples/packages/root
  cp "$root/usr/lib/grub-rescue/grub-rescue-cdrom.iso" .cache/samples/grub-rescue.iso
  cp "$root/usr/lib/memtest86+/memtest86+x64.iso" .cache/samples/memtest.iso
  cp "$root/usr/lib/grub-rescue/grub-rescue-floppy.img" .cache/samples/grub-rescue-floppy.raw
  rm -rf .cache/samples/packages
  touch .cache/samples/done
}
