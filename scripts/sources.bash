# Sourced by the other scripts, in the root of the package: its files.

# list_sources prints the names of what is in the repository or about to be, each with a zero byte behind it, without
# deleted files and links. In an unpacked archive, which can lie in a repository of somebody else's, that is all but
# what .gitignore names.
list_sources() {
    local file pattern ignored=(-false)
    if [[ -e .git ]]; then
        # Also in a checkout that belongs to somebody else, which git otherwise refuses to read.
        git -c safe.directory="$PWD" ls-files --cached --others --exclude-standard -z |
            while IFS= read -r -d '' file; do [[ ! -f $file || -L $file ]] || printf '%s\0' "$file"; done
        return
    fi
    while read -r pattern; do ignored+=(-o -name "${pattern%/}"); done <.gitignore
    find . \( "${ignored[@]}" \) -prune -o -type f -printf '%P\0'
}
