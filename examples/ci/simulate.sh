#!/bin/sh
# Simulate manifests, keep the reports, and tell the build by the exit code. POSIX sh; runs in any pipeline.
#
#   simulate.sh MANIFESTS [options of `kubesteward simulate`, such as --from-bundle PATH or --from-cluster CONTEXT]
#
# MANIFESTS is a file, a folder, a folder with a kustomization.yaml, or a Helm chart.
#
# KUBESTEWARD            the command (kubesteward)
# REPORTS                folder for rehearsal.md, rehearsal.sarif, rehearsal.json, rehearsal.svg (reports)
# ALLOW_UNKNOWN          "true": what cannot be simulated does not fail the build
# GITHUB_STEP_SUMMARY    where the Markdown is appended, if it is set
#
# Exit codes: 0 safe, or with warnings only; 2 blocked; 3 unknown; 1 it could not be simulated.
set -eu

if [ $# -eq 0 ]; then
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 1
fi
manifests=$1
shift
reports=${REPORTS:-reports}
mkdir -p "$reports"

# What a run before this one left must not be taken for this one's.
rm -f "$reports"/rehearsal.md "$reports"/rehearsal.sarif "$reports"/rehearsal.json "$reports"/rehearsal.svg

if [ -f "$manifests/kustomization.yaml" ] || [ -f "$manifests/kustomization.yml" ]; then
    kubectl kustomize "$manifests" > "$reports/rendered.yaml" || exit 1
    manifests=$reports/rendered.yaml
elif [ -f "$manifests/Chart.yaml" ]; then
    helm template "$manifests" > "$reports/rendered.yaml" || exit 1
    manifests=$reports/rendered.yaml
fi

status=0
"${KUBESTEWARD:-kubesteward}" simulate -f "$manifests" "$@" \
    --markdown "$reports/rehearsal.md" \
    --sarif "$reports/rehearsal.sarif" \
    --json "$reports/rehearsal.json" \
    --svg "$reports/rehearsal.svg" || status=$?

if [ -n "${GITHUB_STEP_SUMMARY:-}" ] && [ -f "$reports/rehearsal.md" ]; then
    cat "$reports/rehearsal.md" >> "$GITHUB_STEP_SUMMARY"
fi
if [ "$status" -eq 3 ] && [ "${ALLOW_UNKNOWN:-false}" = true ]; then
    echo "Unknown, and let through because ALLOW_UNKNOWN is true." >&2
    status=0
fi
exit "$status"
