{{- define "watchbill.name" -}}
{{- default .Release.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "watchbill.selector" -}}
app.kubernetes.io/name: watchbill
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "watchbill.labels" -}}
{{ include "watchbill.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "watchbill.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "watchbill.secretName" -}}
{{- if .Values.secret.existing -}}
{{ .Values.secret.existing }}
{{- else if .Values.secret.create -}}
{{ include "watchbill.name" . }}
{{- else -}}
{{ fail "set secret.existing to the name of a Secret with DATABASE_URL, SLACK_BOT_TOKEN, SLACK_APP_TOKEN and WATCHBILL_SECRET, or secret.create to its contents" }}
{{- end -}}
{{- end -}}

{{- /* What the pods and the migration have in common: settings, secrets, and no rights. */ -}}
{{- define "watchbill.env" -}}
envFrom:
  - secretRef:
      name: {{ include "watchbill.secretName" . }}
env:
{{- range $name, $value := .Values.settings }}
  - name: {{ $name }}
    value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{- define "watchbill.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65534
runAsGroup: 65534
fsGroup: 65534
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "watchbill.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}
