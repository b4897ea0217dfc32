"""The experiments by name."""

from .cases import Experiment
from .estimates import figure_3, figure_3_cases, figure_4, figure_4_cases
from .mathematics import optimal_critic, parallel_lines
from .modes import mode_cases, mode_collapse
from .robustness import grid_cases, momentum, momentum_cases, robustness

_CORRELATED = (
    "At every evaluation the distance of generated samples to held-out data (the sliced one in "
    "more than 4 coordinates, the exact one in at most 64) is paired with the median of the "
    "critic's estimates at the generator steps since the evaluation before; the untrained critic "
    "is left out. Spearman's rank correlation of the pairs "
    "has an interval from the moving block bootstrap, blocks of about the root of their number: it "
    "allows for neighbours that are alike, not for another seed. Two curves that both fall have a "
    "high correlation whatever links them; the column 'given time' has what is left of it when a "
    "linear trend in time is taken off both ranks."
)
_COUNTED = (
    "Generators of one kind with the same critic, by the Wasserstein GAN (Algorithm 1 at reduced, "
    "the authors' program at full scale) and by the standard GAN, at three learning rates and for "
    "as many generator steps, of which those of the standard GAN take less work. The excess "
    "is the distance to held-out data above that of two real samples; a run counts as trained if "
    "it did not diverge and its excess fell by half or more from before training to the end. "
    "This is one seed at each place of the grid. The roughness is the median change of the "
    "estimate from one generator step to the next over its median size, in the second half."
)

EXPERIMENTS: dict[str, Experiment] = {
    "fig1": Experiment(
        "Figure 1: parallel lines",
        "The Wasserstein-1 distance of two parallel lines is their displacement, a V; the "
        "Jensen-Shannon divergence is a step.",
        None, parallel_lines,
    ),
    "fig2": Experiment(
        "Figure 2: optimal discriminator against critic",
        "Between two far normal laws the optimal discriminator saturates and its gradient "
        "vanishes; the critic keeps a slope of 1.",
        None, optimal_critic,
    ),
    "fig3": Experiment(
        "Figure 3: the estimate beside the quality of samples",
        "The paper: the estimate of the Wasserstein distance falls as samples get better, and "
        "stays where they do not.",
        figure_3_cases, figure_3, 60, _CORRELATED,
    ),
    "fig4": Experiment(
        "Figure 4: the JS estimate beside the quality of samples",
        "The paper: the JS estimate of the standard GAN rises or stays near log 2, and says "
        "nothing of the quality of samples.",
        figure_4_cases, figure_4, 60, _CORRELATED,
    ),
    "fig5": Experiment(
        "Figure 5: DCGAN as generator",
        "The paper: with a DCGAN as generator both algorithms make good samples.",
        grid_cases("convolutional"), robustness, 10, _COUNTED,
    ),
    "fig6": Experiment(
        "Figure 6: DCGAN without batch normalisation and of one width",
        "The paper: without batch normalisation the standard GAN fails to learn, and the "
        "Wasserstein GAN still makes samples.",
        grid_cases("plain"), robustness, 10, _COUNTED,
    ),
    "fig7": Experiment(
        "Figure 7: a perceptron as generator",
        "The paper: with a perceptron the Wasserstein GAN makes samples of lower quality, the "
        "standard GAN worse ones with mode collapse.",
        grid_cases("perceptron"), robustness, 10, _COUNTED,
    ),
    "modes": Experiment(
        "Mode collapse, counted",
        "The paper: no sign of mode collapse in any Wasserstein GAN, and signs of it in the "
        "standard GAN of perceptrons.",
        mode_cases, mode_collapse, 10,
        "On ring and grid: perceptrons of three layers of 128, batches of 256, three seeds; a mode "
        "is captured by a sample of 2,500 within three standard deviations of it, and such samples "
        "are of high quality. On stacked digits: perceptrons of four layers of 512 and a "
        "convolutional pair, one seed; a mode is captured by a sample of 26,000 whose three "
        "channels a classifier takes for its digits, however the sample looks.",
    ),
    "momentum": Experiment(
        "Momentum in the critic",
        "The paper: training becomes unstable with a momentum based optimiser such as Adam with "
        "beta1 > 0, and RMSProp does well.",
        momentum_cases, momentum, 10,
        "Algorithm 1 with weight clipping at two learning rates, RMSProp (its decay is .99) beside "
        "Adam with beta2 = .99 and three values of beta1, for generator and critic alike. One "
        "seed. The roughness is the median change of the estimate from one generator step to the "
        "next over its median size, in the second half of the run.",
    ),
}  # fmt: skip
"""Experiments by the name that ``wgan reproduce`` takes."""
