# fish completion for bridlectl(1). bridlectl itself computes the candidates.

# Print the files that complete the word after its first part, `before`.
function __bridlectl_files --argument-names before
    set -l word (commandline -ct)
    set -l path (string sub -s (math (string length -- $before) + 1) -- $word)
    test "$before$path" = "$word"; or return
    for file in (complete -C "'' $path")
        printf "%s\n" $before$file
    end
end

# Print the word at the cursor without its quotes. The user may not have typed
# the closing quote yet.
function __bridlectl_word
    set -l word (commandline -ct)
    string unescape -- "$word"
    or string unescape -- "$word'"
    or string unescape -- "$word\""
    or printf "%s\n" $word
end

function __bridlectl_complete
    command -q bridlectl; or return
    set -l before (commandline -opc)
    set -l word (__bridlectl_word)
    for line in (command bridlectl --complete $before[2..] "$word" 2>/dev/null)
        switch $line
            case '/*'
                __bridlectl_files (string split -f1 \t -- (string sub -s 2 -- $line))
            case '*'
                string sub -s 2 -- $line
        end
    end
end

complete -c bridlectl -f -a '(__bridlectl_complete)'
