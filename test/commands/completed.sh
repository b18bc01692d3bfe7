# What bash offers where lines of umbra end: each argument is a line behind `umbra`, the function, which
# is there already; after what is offered for one comes an empty line.

source <(umbra completion bash)

# A builtin that works where bash completes alone.
compopt() { :; }

for line in "$@"; do
  read -ra COMP_WORDS <<<"umbra $line"
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  COMPREPLY=()
  __umbra_complete
  printf '%s\n' "${COMPREPLY[@]}" ''
done
