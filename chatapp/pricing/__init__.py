"""What things cost: models, dated price versions and the rules that turn usage into money."""
