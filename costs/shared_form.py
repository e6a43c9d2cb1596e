"""What is typed into a rule of shared cost."""

from django import forms

from costs.models import SharedCost


class SharedForm(forms.Form):
    kind = forms.ChoiceField(label="About", choices=SharedCost.Kind.choices)
    pattern = forms.CharField(max_length=500, help_text="* stands for anything. A tag is key=value.")
    split = forms.ChoiceField(label="Split", choices=SharedCost.Split.choices)
    note = forms.CharField(max_length=500, required=False)
