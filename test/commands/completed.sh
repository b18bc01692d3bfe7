# What bash offers where a line of umbra ends: the words of the line are the arguments,
# and the function umbra is there already.

source <(umbra completion bash)

# A builtin that works where bash completes alone.
compopt() { :; }

COMP_WORDS=(umbra "$@")
COMP_CWORD=$#
__umbra_complete
printf '%s\n' "${COMPREPLY[@]}"
