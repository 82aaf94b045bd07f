# nginx.bash OPTIONS LIMIT PATH...: runs nginx with the file nginx.conf and the further OPTIONS, requests all paths at
# once, and prints the answers in order, each with its status first; nginx itself writes to standard error.
# LIMIT: seconds for each answer.
here=$(dirname "${BASH_SOURCE[0]}")
options=$1 limit=$2
shift 2
mkdir temporary
nginx -e stderr -p "$PWD" -c "$here/nginx.conf" -g "$options" &
nginx=$!
trap 'kill $nginx; wait $nginx' EXIT
until (: </dev/tcp/127.0.0.1/8000) 2>/dev/null; do
    kill -0 $nginx || exit
    sleep 0.02
done
clients=() number=0
for path in "$@"; do
    curl -s --max-time "$limit" -w '%{http_code}\n' -o "body.$number" "http://127.0.0.1:8000$path" >"status.$number" &
    clients+=($!)
    number=$((number + 1))
done
wait "${clients[@]}"
for ((index = 0; index < number; index++)); do
    status=$(<"status.$index")
    echo "$status"
    [[ $status != 200 ]] || cat "body.$index"
done
