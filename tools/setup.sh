# Sourced by ./retnet and ./test: finds or installs what they need beyond the .NET SDK. Everything it says goes to stderr.
# shellcheck shell=bash

say() { echo "$program: $*" >&2; }

die() { say "$*"; exit 1; }

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
  # A source that cannot be reached need not be the one that has the packages.
  if ! { "${sudo[@]}" apt-get update -q || true; DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -q -y --no-install-recommends "$@"; } >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    die "apt-get could not install $*"
  fi
  rm -f "$log"
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

has_glslc() { "${GLSLC:-glslc}" --version >/dev/null 2>&1; }

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
  has_driver || packages+=(mesa-vulkan-drivers)
  if [ "${1-}" = --build ]; then
    shift
    if ! has_glslc; then
      [ -z "${GLSLC-}" ] || die "GLSLC is '$GLSLC', which does not run"
      packages+=(glslc)
    fi
  fi
  packages+=("$@")
  [ ${#packages[@]} -eq 0 ] || install_packages "${packages[@]}"
}

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
