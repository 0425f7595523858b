"""Pictures laid on the ground, and files of them that maps and globes open at the right place."""
