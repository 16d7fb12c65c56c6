"""Every model's losses in eager PyTorch, from the paper and the authors' code: what the Rust trainer is checked and timed
against. `draws` gives the random numbers of a step."""

import torch
import torch.nn.functional as F

from networks import HIDDEN, WIDTH, criticise, decode, decoder_shapes, dense, encode, encoder_shapes, initial

LR, ADVERSARY_LR = 1e-3, 5e-4
LAMBDA, GAMMA, NOISE, KEEP = 0.5, 0.2, 0.8, 0.6
BETA = {"vae": 0.7, "acai_vae": 0.7, "vqvae": 10.0}
EMA_DECAY, EMA_EPSILON = 0.999, 1e-5
AUTOENCODER = ("encoder", "decoder", "classifier")


class Model:
    """An autoencoder that reconstructs, and what its kind changes: networks, `losses` and `objectives`."""

    networks = AUTOENCODER

    def __init__(self, kind, depth, latent, latent_width, classes=10, colours=1, codes=2**14, vectors=10, options=None):
        self.kind, self.latent, self.width = kind, latent, latent_width
        scales = (WIDTH // latent_width).bit_length() - 1
        h = latent * latent_width**2
        shapes = encoder_shapes("encoder", colours, depth, latent, scales) | decoder_shapes(colours, depth, latent, scales)
        shapes["classifier"] = torch.Size((classes, h))
        shapes |= self.more_shapes(colours, depth, latent, scales, h, codes, vectors)
        self.weights = initial(shapes, options or {})

    def more_shapes(self, *_):
        return {}

    def parameters(self, *networks):
        """Trained weights of networks, by name."""
        return {name: weight for name, weight in self.weights.items() if name.split(".")[0] in networks}

    def groups(self):
        """Networks of one optimizer with its step size."""
        return [(self.networks, LR)]

    def classify(self, features, labels):
        return F.cross_entropy(dense(self.weights, "classifier", features.detach().flatten(1)), labels)

    def losses(self, x, labels, draws):
        z = encode(self.weights, x)
        return {"loss_ae": F.mse_loss(decode(self.weights, z), x), "loss_classifier": self.classify(z, labels)}

    def objectives(self, losses):
        """What is minimised, and by which networks."""
        return [(losses["loss_ae"] + losses["loss_classifier"], self.networks)]

    def gradients(self, losses):
        """By parameter, all at the same weights."""
        gradients, objectives = {}, self.objectives(losses)
        for i, (loss, networks) in enumerate(objectives):
            parameters = self.parameters(*networks)
            of = torch.autograd.grad(loss, list(parameters.values()), retain_graph=i + 1 < len(objectives))
            gradients |= dict(zip(parameters, of))
        return gradients

    def learn_averages(self):
        """Moves what is learnt without a gradient."""


class Denoising(Model):
    def losses(self, x, labels, draws):
        noisy = encode(self.weights, x + NOISE * draws.noise(x))
        with torch.no_grad():
            clean = encode(self.weights, x)
        loss_ae = F.mse_loss(decode(self.weights, noisy), x)
        return {"loss_ae": loss_ae, "loss_classifier": self.classify(clean, labels)}


class Dropout(Model):
    def losses(self, x, labels, draws):
        z = encode(self.weights, x)
        kept = (draws.keep(z.flatten(1)) < KEEP).to(z.dtype).view_as(z)
        loss_ae = F.mse_loss(decode(self.weights, z * kept / KEEP), x)
        return {"loss_ae": loss_ae, "loss_classifier": self.classify(z, labels)}


class Aae(Model):
    def more_shapes(self, colours, depth, latent, scales, h, codes, vectors):
        sizes = [h, HIDDEN["discriminator"], HIDDEN["discriminator"], 1]
        return {f"discriminator.{i}": torch.Size((sizes[i + 1], sizes[i])) for i in range(3)}

    def groups(self):
        return [(AUTOENCODER, LR), (("discriminator",), ADVERSARY_LR)]

    def discriminate(self, z):
        for layer in range(2):
            z = F.leaky_relu(dense(self.weights, f"discriminator.{layer}", z), 0.2)
        return dense(self.weights, "discriminator.2", z)

    def losses(self, x, labels, draws):
        z = encode(self.weights, x)
        codes = z.flatten(1)
        of_codes, of_prior = self.discriminate(codes), self.discriminate(draws.prior(codes))
        logistic = F.binary_cross_entropy_with_logits
        return {
            "loss_ae": F.mse_loss(decode(self.weights, z), x),
            "loss_ae_disc": logistic(of_codes, torch.ones_like(of_codes)),
            "loss_disc": logistic(of_codes, torch.zeros_like(of_codes)),
            "loss_disc_real": logistic(of_prior, torch.ones_like(of_prior)),
            "loss_classifier": self.classify(z, labels),
        }

    def objectives(self, losses):
        own = losses["loss_ae"] + losses["loss_ae_disc"] + losses["loss_classifier"]
        return [(losses["loss_disc"] + losses["loss_disc_real"], ("discriminator",)), (own, AUTOENCODER)]


class VqVae(Model):
    networks = (*AUTOENCODER, "to_vectors", "from_vectors")

    def more_shapes(self, colours, depth, latent, scales, h, codes, vectors):
        dense_layers = {"to_vectors": (vectors * h, h), "from_vectors.0": (HIDDEN["vqvae"], vectors * h)}
        dense_layers |= {"from_vectors.1": (h, HIDDEN["vqvae"]), "codebook": (codes, h)}
        return {name: torch.Size(shape) for name, shape in dense_layers.items()}

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.codebook = self.weights.pop("codebook")
        self.sums, self.counts = self.codebook.clone(), torch.zeros_like(self.codebook[:, 0])

    def losses(self, x, labels, draws):
        h = encode(self.weights, x).flatten(1)
        vectors = dense(self.weights, "to_vectors", h).view(-1, h.shape[1])
        with torch.no_grad():
            squares = self.codebook.square().sum(1)
            self.codes = (squares - 2 * vectors @ self.codebook.T).argmin(1)
            self.vectors = vectors.detach()
        nearest = self.codebook[self.codes]
        through = vectors + (nearest - vectors).detach()
        hidden = F.relu(dense(self.weights, "from_vectors.0", F.relu(through.view(len(x), -1))))
        features = dense(self.weights, "from_vectors.1", hidden)
        decoded = decode(self.weights, features.view(-1, self.latent, self.width, self.width))
        return {
            "loss_ae": F.mse_loss(decoded, x),
            "loss_commitment": F.mse_loss(vectors, nearest),
            "loss_classifier": self.classify(features, labels),
        }

    def objectives(self, losses):
        own = losses["loss_ae"] + BETA[self.kind] * losses["loss_commitment"] + losses["loss_classifier"]
        return [(own, self.networks)]

    @torch.no_grad()
    def learn_averages(self):
        size, dtype = len(self.codebook), self.codebook.dtype
        taken = torch.bincount(self.codes, minlength=size).to(dtype)
        sums = torch.zeros_like(self.sums).index_add(0, self.codes, self.vectors.to(dtype))
        self.counts.lerp_(taken, 1 - EMA_DECAY)
        self.sums.lerp_(sums, 1 - EMA_DECAY)
        total = self.counts.sum()
        counts = (self.counts + EMA_EPSILON) / (total + size * EMA_EPSILON) * total
        self.codebook = self.sums / counts[:, None]


class Acai(Model):
    def more_shapes(self, colours, depth, latent, scales, *_):
        return encoder_shapes("critic", colours, depth, latent, scales)

    def groups(self):
        return [((*self.networks, "critic"), LR)]

    def mix(self, z, alpha):
        alpha = alpha.view(-1, 1, 1, 1)
        return alpha * z + (1 - alpha) * z.flip(0)

    def critics(self, x, decoded, x_mix, alpha):
        guess = criticise(self.weights, x_mix)
        real = criticise(self.weights, torch.lerp(decoded.detach(), x.to(decoded.dtype), GAMMA))
        return {
            "loss_ae_disc": guess.square().mean(),
            "loss_disc": (guess - alpha).square().mean(),
            "loss_disc_real": real.square().mean(),
        }

    def losses(self, x, labels, draws):
        z, alpha = encode(self.weights, x), draws.alpha(x)
        decoded, x_mix = decode(self.weights, torch.cat([z, self.mix(z, alpha)])).chunk(2)
        own = {"loss_ae": F.mse_loss(decoded, x), "loss_classifier": self.classify(z, labels)}
        return own | self.critics(x, decoded, x_mix, alpha)

    def objectives(self, losses):
        own = losses["loss_ae"] + LAMBDA * losses["loss_ae_disc"] + losses["loss_classifier"]
        return [(losses["loss_disc"] + losses["loss_disc_real"], ("critic",)), (own, self.networks)]


class Vae(Model):
    networks = (*AUTOENCODER, "mean", "log_variance")

    def more_shapes(self, colours, depth, latent, scales, h, codes, vectors):
        return {"mean": torch.Size((h, h)), "log_variance": torch.Size((h, h))}

    def bound(self, x, labels, draws, decode_codes):
        """Losses of the evidence lower bound; `decode_codes` makes logits of (sample, mean)."""
        h = encode(self.weights, x)
        mean, log_variance = (dense(self.weights, name, h.flatten(1)) for name in ("mean", "log_variance"))
        sample = mean + torch.exp(log_variance / 2) * draws.epsilon(mean)
        logits = decode_codes(sample.view_as(h), mean.view_as(h))
        likelihood = F.binary_cross_entropy_with_logits(logits, (x + 1) / 2, reduction="sum") / len(x)
        divergence = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum() / len(x)
        return {
            "loss_ae": likelihood + BETA[self.kind] * divergence,
            "loss_likelihood": likelihood,
            "loss_kl": divergence,
            "loss_classifier": self.classify(h, labels),
        }

    def losses(self, x, labels, draws):
        return self.bound(x, labels, draws, lambda sample, mean: decode(self.weights, sample))


class AcaiVae(Vae, Acai):
    """The critic sees images, decoded from mixed posterior means; the autoencoder's share of them is the sample's."""

    def more_shapes(self, *sizes):
        return Vae.more_shapes(self, *sizes) | Acai.more_shapes(self, *sizes)

    def losses(self, x, labels, draws):
        critics, alpha = {}, draws.alpha(x)

        def decode_codes(sample, mean):
            logits, mixed = decode(self.weights, torch.cat([sample, self.mix(mean, alpha)])).chunk(2)
            image = lambda logits: 2 * torch.sigmoid(logits) - 1
            critics.update(self.critics(x, image(logits), image(mixed), alpha))
            return logits

        return self.bound(x, labels, draws, decode_codes) | critics


class Pixels(Model):
    networks = ("classifier",)

    def __init__(self, kind, depth, latent, latent_width, classes=10, colours=1, options=None, **_):
        self.weights = initial({"classifier": torch.Size((classes, colours * WIDTH**2))}, options or {})

    def losses(self, x, labels, draws):
        return {"loss_classifier": self.classify(x, labels)}

    def objectives(self, losses):
        return [(losses["loss_classifier"], self.networks)]


MODELS = {
    "baseline": Model,
    "dropout": Dropout,
    "denoising": Denoising,
    "vae": Vae,
    "aae": Aae,
    "vqvae": VqVae,
    "acai": Acai,
    "acai_vae": AcaiVae,
    "pixels": Pixels,
}
