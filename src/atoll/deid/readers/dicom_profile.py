"""The Basic Application Level Confidentiality Profile: what a contract may do with an attribute.

Source: DICOM PS3.15, annex E, table E.1-1 and the options of E.3: which attributes tell a
person, and which option lets them stay. Attributes that the table does not know by name are
judged by their value representation: names, dates, times, and UIDs are protected wherever they stand.
"""

from __future__ import annotations

from pydicom.datadict import dictionary_VR, tag_for_keyword

from atoll.deid.readers.paths import parse_path
from atoll.model.contract import Drop, Rule

#: Options of E.3 by the name that contracts use, and the attributes that each is about.
OPTIONS: dict[str, str] = {
    "uids": "E.3.9, Retain UIDs",
    "dates": "E.3.6, Retain Longitudinal Temporal Information With Full Dates",
    "patient_characteristics": "E.3.7, Retain Patient Characteristics",
    "device": "E.3.8, Retain Device Identity",
    "institution": "E.3.11, Retain Institution Identity",
    "descriptors": "E.3.5, Clean Descriptors",
}
_CHARACTERISTICS = (
    "PatientAge PatientSex PatientSize PatientWeight PatientBodyMassIndex PatientSexNeutered EthnicGroup "
    "EthnicGroups SmokingStatus PregnancyStatus Allergies MedicalAlerts PatientState PreMedication "
    "SpecialNeeds"
)
_DEVICE = (
    "StationName DeviceSerialNumber DetectorID PlateID GantryID GeneratorID CassetteID "
    "ScheduledStationAETitle PerformedStationAETitle PerformedStationName ScheduledStationName "
    "DeviceLabel DeviceDescription UDISequence UniqueDeviceIdentifier ManufacturerDeviceIdentifier "
    "XRaySourceID XRayDetectorID LensMake LensModel LensSerialNumber"
)
_INSTITUTION = (
    "InstitutionName InstitutionAddress InstitutionalDepartmentName InstitutionCodeSequence "
    "PerformedLocation InstitutionalDepartmentTypeCodeSequence ScheduledProcedureStepLocation"
)
_DESCRIPTORS = (
    "StudyDescription SeriesDescription ImageComments PatientComments AdditionalPatientHistory "
    "AdmittingDiagnosesDescription AcquisitionComments AcquisitionProtocolDescription ContrastBolusAgent "
    "DerivationDescription FrameComments OccupationalHistory Occupation ProtocolName ReasonForStudy "
    "ReasonForTheRequestedProcedure RequestedContrastAgent RequestedProcedureComments "
    "RequestedProcedureDescription StudyComments TextComments TextString VisitComments "
    "PerformedProcedureStepDescription ScheduledProcedureStepDescription "
    "CommentsOnThePerformedProcedureStep ImagePresentationComments DischargeDiagnosisDescription "
    "DeviceSettingDescription LongDeviceDescription UserContentLabel"
)
#: Never to be kept, under any option.
_IDENTIFIERS = (
    "PatientID IssuerOfPatientID OtherPatientIDs OtherPatientIDsSequence AccessionNumber StudyID "
    "AdmissionID PatientAddress PatientTelephoneNumbers PatientInsurancePlanCodeSequence "
    "MedicalRecordLocator MilitaryRank BranchOfService CountryOfResidence RegionOfResidence "
    "PatientReligiousPreference PatientInstitutionResidence CurrentPatientLocation ServiceEpisodeID "
    "ServiceEpisodeDescription ReferringPhysicianAddress ReferringPhysicianTelephoneNumbers "
    "PersonIdentificationCodeSequence PersonAddress PersonTelephoneNumbers RequestedProcedureID "
    "ScheduledProcedureStepID PerformedProcedureStepID FillerOrderNumberImagingServiceRequest "
    "PlacerOrderNumberImagingServiceRequest ClinicalTrialSubjectID ClinicalTrialSiteID "
    "ClinicalTrialSiteName ClinicalTrialProtocolEthicsCommitteeName RequestingService "
    "InsurancePlanIdentification PatientPrimaryLanguageCodeSequence ReferencedPatientSequence "
    "OriginalAttributesSequence DigitalSignaturesSequence EncryptedAttributesSequence ContentSequence "
    "NetworkID VerifyingOrganization SpecimenAccessionNumber ContainerIdentifier"
)
_BY_NAME: dict[str, str] = {
    **dict.fromkeys(_CHARACTERISTICS.split(), "patient_characteristics"),
    **dict.fromkeys(_DEVICE.split(), "device"),
    **dict.fromkeys(_INSTITUTION.split(), "institution"),
    **dict.fromkeys(_DESCRIPTORS.split(), "descriptors"),
    **dict.fromkeys(_IDENTIFIERS.split(), ""),
}
_BY_REPRESENTATION = {"PN": "", "UI": "uids", "DA": "dates", "DT": "dates", "TM": "dates"}
#: UIDs that name a kind of thing, not a thing (PS3.15 table E.1-1 leaves them).
_KINDS = ("SOPClassUID", "ReferencedSOPClassUID", "TransferSyntaxUID", "ImplementationClassUID", "CodingSchemeUID")
#: Treatments that take the identity out of a value, so that no option is needed.
_REMOVES = ("pseudonymize", "constant", "shift_date", "generalize", "redact_text", "encrypt")


def fault_of(path: str, rule: Rule, retained: tuple[str, ...]) -> str | None:
    """What is wrong with a rule under the profile with these options; None when nothing is."""
    if isinstance(rule, Drop):
        return None
    names = [step for step in parse_path(path) if isinstance(step, str)]
    if private := [name for name in names if name.startswith("(")]:
        return f"takes the private attribute {private[0]}, which the profile removes (PS3.15 E.3.10); drop it"
    for name in names:
        tag = tag_for_keyword(name)
        if tag is None:
            return f"names `{name}`, which is no attribute's keyword (PS3.6)"
        option = _BY_NAME.get(name)
        if option is None and name not in _KINDS:
            option = _BY_REPRESENTATION.get(dictionary_VR(tag))
        if option is None or option in retained or rule.treat in _REMOVES:
            continue
        if option:
            return f"keeps {name}, which needs the option `{option}` in `retain` (PS3.15 {OPTIONS[option]})"
        return f"keeps {name}, which the Basic Profile of PS3.15 takes out under every option"
    return None
