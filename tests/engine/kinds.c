/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kinds of objects, which a constant in a member tells apart. Lines that are to be found name the check. */
struct chip { int type; int mode; spinlock_t lock; };
struct read { int type; };

static void read_chip(struct chip *chip)
{
	switch (chip->type) {
	case TYPE_SLOW:
		msleep(1);
		break;
	case TYPE_FAST:
		udelay(1);
		break;
	}
}

static void read_port(struct port *port)
{
	struct chip *chip = chip_of(port);

	read_chip(chip);
}

static void do_read(struct read *read)
{
	if (read->type == TYPE_SLOW)
		msleep(1);
}

void read_by_type(struct chip *chip)
{
	spin_lock(&chip->lock);
	switch (chip->type) {
	case TYPE_FAST:
		read_chip(chip);
		break;
	case TYPE_SLOW:
		read_chip(chip); /* wrong: lock-sleep-in-atomic */
		break;
	default:
		read_chip(chip); /* wrong: lock-sleep-in-atomic */
		break;
	}
	spin_unlock(&chip->lock);
}

void read_fast_port(struct chip *chip, struct port *port)
{
	spin_lock(&chip->lock);
	if (chip->type == TYPE_FAST)
		read_port(port);
	else
		read_port(port); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&chip->lock);
}

void read_port_unless_slow(struct chip *chip, struct port *port)
{
	spin_lock(&chip->lock);
	if (chip->type != TYPE_SLOW)
		read_port(port);
	spin_unlock(&chip->lock);
}

void read_port_by_mode(struct chip *chip, struct port *port)
{
	spin_lock(&chip->lock);
	if (chip->mode == TYPE_FAST)
		read_port(port); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&chip->lock);
}

void read_port_of_a_kind(struct card *card, struct port *port)
{
	spin_lock(&card->lock);
	if (card->type == KIND_FAST)
		read_port(port); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&card->lock);
}

void read_fast(struct chip *chip)
{
	struct read read = {};

	read.type = TYPE_FAST;
	spin_lock(&chip->lock);
	do_read(&read);
	spin_unlock(&chip->lock);
}

void read_slowly(struct chip *chip)
{
	struct read read = {};

	read.type = TYPE_SLOW;
	spin_lock(&chip->lock);
	do_read(&read); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&chip->lock);
}
