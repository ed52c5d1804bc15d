# Sourced by ./retnet and ./test: finds or installs what they need beyond the .NET SDK. Everything it says goes to stderr.
# shellcheck shell=bash

say() { echo "$program: $*" >&2; }

die() { say "$*"; exit 1; }

# Options of apt-get that put Debian 12's backports beside its packages, in a folder of their own; the system's sources stay
# as they are. Debian 12's Mesa is 22.3, whose software driver takes several times as long for a token as 25.0 of the backports.
apt_options=()
use_backports() {
  local codename
  codename=$(. /etc/os-release 2>/dev/null; echo "${VERSION_CODENAME-}")
  [ "$codename" = bookworm ] || return 0
  apt_folder=$(mktemp -d)
  chmod 755 "$apt_folder"
  mkdir -p "$apt_folder/lists/partial"
  printf 'deb http://deb.debian.org/debian %s main\n' bookworm bookworm-backports >"$apt_folder/sources.list"
  apt_options=(-t bookworm-backports -o "Dir::Etc::SourceList=$apt_folder/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$apt_folder/lists")
}

# A source that cannot be reached need not be the one that has the packages: whether the installation succeeds decides.
apt_install() {
  "${sudo[@]}" apt-get "${apt_options[@]}" update -q || true
  DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get "${apt_options[@]}" install -q -y --no-install-recommends "$@"
}

# Installs Debian packages, as root or through sudo; with neither, says what is missing.
install_packages() {
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null && sudo=(sudo)
  fi
  if ! command -v apt-get >/dev/null || { [ "$(id -u)" -ne 0 ] && [ ${#sudo[@]} -eq 0 ]; }; then
    die "please install $* (Debian's names; elsewhere the Vulkan SDK and a GPU driver have them), then start again"
  fi
  say "installing $*"
  local log
  log=$(mktemp)
  if ! apt_install "$@" >"$log" 2>&1 </dev/null; then
    [ ${#apt_options[@]} -eq 0 ] || say "not with Debian's backports; trying without (the software driver will be slow)"
    apt_options=()
    if ! apt_install "$@" >"$log" 2>&1 </dev/null; then
      tail -n 20 "$log" >&2
      rm -f "$log"
      die "apt-get could not install $*"
    fi
  fi
  rm -rf "$log" "${apt_folder-}"
}

has_library() {
  local folder library_path=${LD_LIBRARY_PATH-}
  for folder in /usr/lib /usr/lib64 /lib /lib64 /usr/local/lib /usr/lib/*-linux-gnu* /lib/*-linux-gnu* ${library_path//:/ }; do
    [ -e "$folder/$1" ] && return 0
  done
  return 1
}

# A driver named by the environment, or a manifest where the loader looks for them.
has_driver() {
  [ -n "${VK_DRIVER_FILES-}${VK_ICD_FILENAMES-}${VK_ADD_DRIVER_FILES-}" ] && return 0
  local folder
  for folder in "${XDG_CONFIG_HOME:-$HOME/.config}" /etc/xdg /etc /usr/local/etc "${XDG_DATA_HOME:-$HOME/.local/share}" /usr/local/share /usr/share; do
    compgen -G "$folder/vulkan/icd.d/*.json" >/dev/null && return 0
  done
  return 1
}

# The newest GLSL extension that kernels use. The build leaves out those whose extension the compiler does not know.
newest_extension=GL_NV_cooperative_matrix2

is_new_enough() {
  "$1" -DEXTENSION=$newest_extension "$root/shaders/extension.comp" -o /dev/null >/dev/null 2>&1
}

# Unpacks Debian 13's glslc and spirv-val with the libraries that they need into .cache/glslc, where they run on any Linux and the build
# finds them (shaders/Shaders.targets). Leaves the system as it is and needs no root. Fails without apt or the network.
fetch_glslc() {
  local folder=$root/.cache/glslc work
  command -v apt-get >/dev/null && command -v dpkg >/dev/null || return 1
  say "fetching Debian 13's glslc into .cache (25 MB): there is none here that knows $newest_extension"
  mkdir -p "$root/.cache"
  work=$(mktemp -d "$folder.XXXXXX")
  if (cd "$work" && unpack_glslc) >/dev/null 2>&1 </dev/null && is_new_enough "$work/glslc/glslc"; then
    rm -rf "$folder"
    mv "$work/glslc" "$folder"
  fi
  rm -rf "$work"
  is_new_enough "$folder/glslc"
}

# In an empty folder: makes ./glslc.
unpack_glslc() {
  local keys=/usr/share/keyrings/debian-archive-keyring.gpg package library program options
  mkdir -p lists/partial cache/archives/partial packages glslc
  # Ubuntu has Debian's keys in a package.
  if [ ! -e $keys ]; then
    apt-get download -q debian-archive-keyring && dpkg -x debian-archive-keyring_*.deb keyring || return 1
    keys=$PWD/keyring$keys
  fi
  echo "deb [signed-by=$keys] http://deb.debian.org/debian trixie main" >sources.list
  options=(-o "Dir::Etc::SourceList=$PWD/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$PWD/lists" -o "Dir::Cache=$PWD/cache"
    -o Acquire::Languages=none -o Acquire::Retries=0 -o Acquire::http::Timeout=20 -o APT::Sandbox::User=)
  apt-get "${options[@]}" update -q && apt-get "${options[@]}" download -q glslc libshaderc1 spirv-tools libc6 libstdc++6 libgcc-s1 || return 1
  for package in *.deb; do
    dpkg -x "$package" packages || return 1
  done
  for library in ld-linux-*.so.* libc.so.6 libm.so.6 libstdc++.so.6 libgcc_s.so.1 libshaderc.so.1; do
    cp -L packages/usr/lib/*-linux-gnu*/$library glslc || return 1
  done
  for program in glslc spirv-val; do
    cp packages/usr/bin/$program glslc/$program.bin || return 1
    cat >glslc/$program <<END
#!/bin/sh
folder=\$(dirname "\$(readlink -f "\$0")")
exec "\$folder"/ld-linux-*.so.* --library-path "\$folder" "\$folder/$program.bin" "\$@"
END
    chmod +x glslc/$program
  done
}

# Sees to a compiler: GLSLC, that of PATH, or one of our own; where none of them is new enough, any.
find_glslc() {
  if [ -n "${GLSLC-}" ]; then
    "$GLSLC" --version >/dev/null 2>&1 || die "GLSLC is '$GLSLC', which does not run"
    is_new_enough "$GLSLC" || say "GLSLC does not know $newest_extension: building without the kernels that it cannot compile"
  elif ! is_new_enough glslc && ! is_new_enough "$root/.cache/glslc/glslc" && ! fetch_glslc; then
    glslc --version >/dev/null 2>&1 || packages+=(glslc)
    say "no glslc that knows $newest_extension: building without the kernels that an older one cannot compile"
  fi
}

require_dotnet() {
  if ! command -v dotnet >/dev/null && [ -x "$HOME/.dotnet/dotnet" ]; then
    PATH="$HOME/.dotnet:$PATH"
  fi
  command -v dotnet >/dev/null || die "the .NET 10 SDK is missing; get it from https://dotnet.microsoft.com/download or with https://dot.net/v1/dotnet-install.sh --channel 10.0"
}

# Installs what is missing of what running needs, of what building needs (with --build), and the packages named.
set_up() {
  local packages=()
  require_dotnet
  has_library libvulkan.so.1 || packages+=(libvulkan1)
  if ! has_driver; then
    packages+=(mesa-vulkan-drivers)
    use_backports
  fi
  if [ "${1-}" = --build ]; then
    shift
    find_glslc
  fi
  packages+=("$@")
  [ ${#packages[@]} -eq 0 ] || install_packages "${packages[@]}"
}

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
