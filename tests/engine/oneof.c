// SPDX-License-Identifier: GPL-2.0-or-later
/* What is done for one of several values, or where one of several bits is set, is not done for another. */

struct vat { spinlock_t lock; int level; };

static void vat_by_mask(struct vat *vat, int flags)
{
	if (flags & (VAT_HOT | VAT_COLD))
		msleep(1);
	vat->level++;
}

static void vat_by_bits(struct vat *vat, int flags)
{
	if (flags & VAT_HOT || flags & VAT_COLD)
		msleep(1);
	vat->level++;
}

static void vat_by_kind(struct vat *vat, int kind)
{
	if (kind == VAT_WIDE || kind == VAT_TALL || kind == VAT_DEEP)
		msleep(1);
	vat->level++;
}

static int vat_by_case(struct vat *vat, int kind)
{
	switch (kind) {
	case VAT_WIDE:
	case VAT_TALL:
		vat->level = 1;
		break;
	case VAT_DEEP:
		vat->level = 2;
		break;
	default:
		return -EINVAL;
	}
	msleep(1);
	return 0;
}

static void vat_fill(struct vat *vat, int kind, int flags)
{
	vat_by_kind(vat, kind);
	vat_by_mask(vat, flags);
}

static void vat_handed_on(struct vat *vat, int kind)
{
	vat_by_case(vat, kind);
}

void vat_of_others(struct vat *vat)
{
	spin_lock(&vat->lock);
	vat_by_mask(vat, VAT_DRY);
	vat_by_bits(vat, VAT_DRY);
	vat_by_kind(vat, VAT_FLAT);
	vat_by_case(vat, VAT_FLAT);
	vat_fill(vat, VAT_FLAT, VAT_DRY | VAT_CLEAN);
	vat_handed_on(vat, VAT_FLAT);
	spin_unlock(&vat->lock);
}

void vat_of_these(struct vat *vat)
{
	spin_lock(&vat->lock);
	vat_by_mask(vat, VAT_DRY | VAT_COLD); /* wrong: lock-sleep-in-atomic */
	vat_by_bits(vat, VAT_COLD); /* wrong: lock-sleep-in-atomic */
	vat_by_kind(vat, VAT_DEEP); /* wrong: lock-sleep-in-atomic */
	vat_by_case(vat, VAT_DEEP); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&vat->lock);
}

/* What a function refuses is not what it is given. */

void vat_of_any(struct vat *vat, int kind)
{
	spin_lock(&vat->lock);
	vat_by_case(vat, vat->level); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&vat->lock);
}

void vat_handed_one(struct vat *vat)
{
	spin_lock(&vat->lock);
	vat_handed_on(vat, VAT_TALL); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&vat->lock);
}

/* Of a value that was given anew, nothing is known. */

static void vat_changed(struct vat *vat, int kind)
{
	if (kind != VAT_WIDE && kind != VAT_TALL)
		return;
	kind = vat->level;
	msleep(kind);
}

void vat_of_a_changed(struct vat *vat)
{
	spin_lock(&vat->lock);
	vat_changed(vat, VAT_TALL); /* wrong: lock-sleep-in-atomic */
	spin_unlock(&vat->lock);
}
