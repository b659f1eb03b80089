#!/usr/bin/env bash
# One experiment on 2 nodes of 4 GPUs: sbatch configs/trainer/slurm/ddp.sh configs/ncbi_disease.yaml
# Ten minutes before its time is up the job saves a checkpoint, requeues itself and goes on from it.
#SBATCH --job-name=clinsynth
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=8
#SBATCH --time=04:00:00
#SBATCH --signal=SIGUSR1@600
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=runs/slurm-%j.log
set -euo pipefail
srun clinsynth fit --config "$1" --config configs/trainer/ddp.yaml \
  --trainer.num_nodes "$SLURM_JOB_NUM_NODES" --trainer.devices "$SLURM_NTASKS_PER_NODE" "${@:2}"
