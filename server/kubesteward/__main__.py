"""`python -m kubesteward` is the console command."""

from kubesteward.cli.entry import main

main()
