# What bash offers where a line of umbra ends: the words of the line are the arguments,
# and the function umbra is there already.

source <(umbra completion bash)

# Of bash-completion, which is not everywhere.
_get_comp_words_by_ref() {
  cur="${COMP_WORDS[COMP_CWORD]}"
  words=("${COMP_WORDS[@]}")
  cword=$COMP_CWORD
}
compopt() { :; }

COMP_WORDS=(umbra "$@")
COMP_CWORD=$#
__umbra_complete
printf '%s\n' "${COMPREPLY[@]}"
