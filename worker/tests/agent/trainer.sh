#!/bin/sh
# A trainer, as the protocol defines one. After `start` it follows scenario.sh in its data folder; before it is ready it
# follows before_ready.sh there, if there is one. If that sets can_stay=true, it can stay for another group; with
# can_join=true, runs can join its groups: then scenario.sh reads what it is told meanwhile.
while [ $# -gt 0 ]; do
    case $1 in --data) data=$2 ;; esac
    shift
done

metric() { echo "{\"event\":\"metric\",\"run\":$1,\"step\":$2,\"values\":{\"train/loss\":$2.5}}"; }
progress() { echo "{\"event\":\"progress\",\"run\":$1,\"step\":$2}"; }
finished() { echo "{\"event\":\"finished\",\"run\":$1,\"step\":$2}"; }
stopped() { echo "{\"event\":\"stopped\",\"run\":$1,\"step\":$2}"; }
failed() { echo "{\"event\":\"failed\",\"run\":$1,\"step\":$2,\"kind\":\"$3\",\"message\":\"$4\"}"; }
# For a group of one: checkpoint RUN STEP.
checkpoint() {
    folder=$(echo "$start" | sed 's/.*"folder":"\([^"]*\)".*/\1/')
    echo weights > "$folder/step-$2"
    echo "{\"event\":\"checkpoint\",\"run\":$1,\"step\":$2,\"path\":\"$folder/step-$2\"}"
}
# For a group of one: artifact RUN STEP NAME.
artifact() {
    folder=$(echo "$start" | sed 's/.*"folder":"\([^"]*\)".*/\1/')
    file=$(printf '%s/%s-%09d.png' "$folder" "$3" "$2")
    echo "drawn at $2" > "$file"
    echo "{\"event\":\"artifact\",\"run\":$1,\"step\":$2,\"path\":\"$file\"}"
}

[ ! -e "$data/before_ready.sh" ] || . "$data/before_ready.sh"
echo "{\"event\":\"ready\",\"version\":\"1\",\"device\":\"cpu\",\"threads\":1,\"libtorch\":\"none\"${can_stay:+,\"can_stay\":true}${can_join:+,\"can_join\":true}}"
stays=true
while [ -n "$stays" ]; do
    read -r start || exit 0
    case $start in
        *'"stay":true'*) ;;
        *'"start"'*) stays= ;;
        *) exit 0 ;;
    esac
    . "$data/scenario.sh"
done
