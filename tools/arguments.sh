# What ./dev takes on its command line: refused before anything is installed or built. Sourced.

refuse() {
  echo "dev: $*" >&2
  exit 2
}

# The words that a command takes. One that ends in = is an option with a value, in the same
# argument or the next.
words_of() {
  case $1 in
    demo) echo "--exit --directory=" ;;
    build) preset_names ;;
    test) echo "$(stage_names) --list --fuzz-seconds=" ;;
    check) check_names ;;
    bench) echo "$(figure_names) --small --images=" ;;
  esac
}

# usage_of COMMAND: what --help says of one command
usage_of() {
  local words
  words=$(words_of "$1")
  [ -z "$words" ] || printf '\n%s takes: %s\n' "$1" "$words"
}

# takes COMMAND ARGUMENT...: refuses what is none of its words.
takes() {
  local command=$1 words argument
  words=$(words_of "$command")
  shift
  while [ $# -gt 0 ]; do
    argument=$1
    shift
    case " $words " in
      *" $argument "*) ;;
      *" $argument= "*)
        [ $# -gt 0 ] || refuse "$command: $argument needs a value"
        shift
        ;;
      *" ${argument%%=*}= "*) ;;
      *) refuse "$command: '$argument' is not known; it takes ${words:-nothing}" ;;
    esac
  done
}

# takes_seconds COMMAND [SECONDS]
takes_seconds() {
  [ $# -le 2 ] || refuse "$1: takes one argument, the seconds"
  [[ ${2:-1} =~ ^[0-9]+$ ]] || refuse "$1: '$2' is no number of seconds"
}

preset_names() { echo dev release clang asan fuzz tsan coverage; }
check_names() { echo format tidy clang-tidy generated; }
figure_names() {
  echo start memory show create page share transfer encryption existence tags metrics \
    import export postgres_show postgres_share postgres_page postgres_second_server
}

# The stages of tools/run_tests.py with what they are, read off the script: a bare machine has no
# Python to ask it. They are its functions of one argument with a text of one line.
stages() {
  awk '/^def [a-z0-9]+\((_|seconds)\):$/ { sub(/^def /, ""); sub(/\(.*/, ""); name = $0
         getline; gsub(/^ *"""|"""$/, ""); printf "%-10s %s\n", name, $0 }' tools/run_tests.py
}
stage_names() { stages | awk '{ printf "%s%s", (NR > 1 ? " " : ""), $1 }'; }
